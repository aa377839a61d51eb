/**
 * Evergreen: cooperative multitasking and I/O for Deno. Tasks look like threads: they can be named, joined,
 * killed and timed out wherever they wait, and they run one at a time, in a predictable order.
 *
 * | To... | Use |
 * | --- | --- |
 * | run things beside each other | {@linkcode spawn}, {@linkcode TaskGroup} |
 * | limit how long something takes | {@linkcode Timeout}, or the `timeout` of any blocking call |
 * | pass things from task to task | {@linkcode Channel}, {@linkcode Queue} |
 * | keep tasks out of each other's way | {@linkcode Lock}, {@linkcode Semaphore} |
 * | talk to others | {@linkcode TcpClient}, {@linkcode TcpServer} |
 * | run it all to its end | {@linkcode EventLoop.prototype.run} |
 * | test it without waiting | {@linkcode VirtualClock} |
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Channel, EventLoop, spawn } from "@evergreen/evergreen";
 *
 * const channel = new Channel<string>();
 * const log: string[] = [];
 *
 * spawn(async () => {
 *   for (const word of ["tasks", "look", "like", "threads"]) await channel.send(word);
 *   channel.close();
 * });
 * spawn(async () => {
 *   for await (const word of channel) log.push(word);
 * });
 *
 * await EventLoop.current().run();
 * assertEquals(log.join(" "), "tasks look like threads");
 * EventLoop.current().destroy();
 * ```
 *
 * @module
 */
export * from "./loop/mod.ts";
export * from "./tasks/mod.ts";
export * from "./sync/mod.ts";
export * from "./io/mod.ts";
export * from "./lib/mod.ts";
export * from "./ext/mod.ts";
export * from "./patcher/mod.ts";
