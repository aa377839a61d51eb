import tty from "node:tty";
import { checkCount } from "../loop/arguments.ts";
import { raisesTimeout, type WaitOptions } from "../loop/wait.ts";
import { BaseStream } from "./base_stream.ts";
import { OutsideLine } from "./_outside_line.ts";
import { enterRawMode, inRawMode, leaveRawMode } from "./_raw_mode.ts";
import { openTerminal, type Terminal, type WindowSize } from "./_terminal.ts";
import { type StreamError, type StreamErrorOptions, TtyError } from "./stream_error.ts";

export type { WindowSize } from "./_terminal.ts";

/** A terminal. */
export class TtyStream extends BaseStream {
  readonly #fd: number;
  readonly #terminal: Terminal;
  readonly #resizing = new OutsideLine<WindowSize>(
    () => `TtyStream.resized() of ${this.address}`,
    () => this.#unwatchIfAlone(),
  );
  /** A signal alone does not keep the program alive. */
  #watching: ReturnType<typeof setInterval> | null = null;

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
  resized(options?: WaitOptions): Promise<WindowSize> {
    const refused = this.check("wait for a new size of", options);
    if (refused !== undefined) return refused;
    const size = this.#resizing.wait(raisesTimeout, options);
    if (this.#resizing.size > 0) this.#watch();
    return size;
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
    if (this.closed) return;
    if (inRawMode(this)) this.setRawMode(false);
    super.close();
    this.#resizing.raiseAll(() => this.refuse("wait for a new size of", "it is closed", "ECLOSED"));
    this.#unwatchIfAlone();
  }

  /** What messages call it. */
  protected override get address(): string {
    return `terminal ${this.#fd}`;
  }

  /** Makes a {@linkcode TtyError}. */
  protected override makeError(message: string, options: StreamErrorOptions): StreamError {
    return new TtyError(message, options);
  }

  readonly #onResize = (): void => {
    try {
      this.#resizing.wakeAll(this.winsize);
    } catch (error) {
      this.#resizing.raiseAll(() => error);
    }
    this.#unwatchIfAlone();
  };

  #watch(): void {
    if (this.#watching !== null) return;
    this.#watching = setInterval(() => {}, 1_000_000_000);
    Deno.addSignalListener("SIGWINCH", this.#onResize);
  }

  /** Does not look any more if nobody waits. */
  #unwatchIfAlone(): void {
    if (this.#watching === null || this.#resizing.size > 0) return;
    clearInterval(this.#watching);
    this.#watching = null;
    Deno.removeSignalListener("SIGWINCH", this.#onResize);
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
