import tty from "node:tty";
import { checkCount } from "../loop/arguments.ts";
import { Scheduler } from "../loop/scheduler.ts";
import { OUTSIDE, raisesTimeout, Wait, type WaitOptions } from "../loop/wait.ts";
import { BaseStream } from "./base_stream.ts";
import { enterRawMode, inRawMode, leaveRawMode } from "./_raw_mode.ts";
import { openTerminal, type Terminal, type WindowSize } from "./_terminal.ts";
import { type StreamError, type StreamErrorOptions, TtyError } from "./stream_error.ts";

export type { WindowSize } from "./_terminal.ts";

/** A terminal. */
export class TtyStream extends BaseStream {
  readonly #fd: number;
  readonly #terminal: Terminal;

  /**
   * Opens a terminal.
   *
   * @param fd The terminal's descriptor: 0, 1, 2, or any that the program was given.
   * @param readable Whether it is to be read; else it is to be written.
   * @throws {TtyError} If the descriptor is no terminal.
   */
  constructor(fd: number, readable: boolean) {
    super();
    checkCount("The descriptor", fd, 0);
    this.#fd = fd;
    if (!tty.isatty(fd)) throw this.refuse("open", "it is no terminal", "ENOTTY");
    this.#terminal = openTerminal(fd, readable);
    this.attach(this.#terminal);
  }

  /**
   * The terminal's size now.
   *
   * @throws {TtyError} If the stream is closed, or the system does not tell.
   */
  get winsize(): WindowSize {
    return this.#act("get the size of", () => this.#terminal.size());
  }

  /**
   * Waits until the terminal's size changes (SIGWINCH).
   *
   * @returns The new size.
   */
  async resized(options?: WaitOptions): Promise<WindowSize> {
    const refused = this.check("wait for a new size of", options);
    if (refused !== undefined) return refused;
    if (options?.timeout === 0) return raisesTimeout.atOnce();
    const wait = Wait.begin<void>(
      Scheduler.current(),
      { describe: () => "TtyStream.resized()" },
      OUTSIDE,
    );
    const wake = () => wait.wake();
    const stop = () => Deno.removeSignalListener("SIGWINCH", wake);
    Deno.addSignalListener("SIGWINCH", wake);
    // A signal alone does not keep the program alive.
    const timer = setInterval(() => {}, 1_000_000_000);
    if (options !== undefined) wait.limit(options, raisesTimeout);
    try {
      await wait.promise;
    } finally {
      clearInterval(timer);
      stop();
    }
    return this.winsize;
  }

  /**
   * In raw mode each key arrives at once, as it is, and Ctrl-C is a key like any other. It is undone at the end
   * of the program, however it ends, and by {@linkcode TtyStream.prototype.close}.
   */
  setRawMode(enable: boolean): void {
    this.#act("set the mode of", () => {
      this.#terminal.setRaw(enable);
      if (enable) enterRawMode(this, () => this.#terminal.setRaw(false));
      else leaveRawMode(this);
    });
  }

  /** Closes it at once; raw mode is undone. */
  override close(): void {
    if (!this.closed && inRawMode(this)) this.setRawMode(false);
    super.close();
  }

  /** What messages call it. */
  protected override get address(): string {
    return `terminal ${this.#fd}`;
  }

  /** Makes a {@linkcode TtyError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TtyError(message, options);
  }

  #act<T>(what: string, act: () => T): T {
    if (this.closed) throw this.refuse(what, "it is closed", "ECLOSED");
    try {
      return act();
    } catch (cause) {
      throw this.fault(what, cause);
    }
  }
}
