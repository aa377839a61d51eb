/**
 * The event loop: it runs callbacks, timers and signal handlers, and resumes tasks, one at a time and in
 * order. It is made and started by itself when it is needed, and it is there to be used.
 *
 * | To... | Use |
 * | --- | --- |
 * | run everything until nothing is left to do | {@linkcode EventLoop.prototype.run} |
 * | call a function soon, later or at a time | {@linkcode EventLoop.prototype.callSoon} and its neighbours |
 * | be told when a descriptor or stream can be read | {@linkcode EventLoop.prototype.addReader} |
 * | react to a signal | {@linkcode EventLoop.prototype.addSignalHandler} |
 * | wait for a foreign promise so that a kill reaches you | {@linkcode cooperate} |
 * | build a blocking call of your own | {@linkcode EventLoop.prototype.switch} |
 * | call a loop in another thread | {@linkcode EventLoop.prototype.expose}, {@linkcode connectLoop} |
 * | test without waiting for real time | {@linkcode VirtualClock} |
 *
 * @module
 */
export { type ErrorClass, registerErrorClass } from "./carried_error.ts";
export { type Clock, VirtualClock } from "./clock.ts";
export { DeadlockError } from "./deadlock.ts";
export { LateError, RuntimeError, TimeoutError } from "./errors.ts";
export { cooperate, EventLoop } from "./event_loop.ts";
export type { ExceptionContext } from "./exceptions.ts";
export type { Exposed } from "./expose.ts";
export type { Handler } from "./handler.ts";
export type { EventLoopOptions } from "./loop_options.ts";
export { type ArgumentsOf, connectLoop, type RemoteLoop, type ResultOf } from "./remote_loop.ts";
export { transfer } from "./transfer.ts";
export {
  type Direction,
  type Pollable,
  type PollSource,
  type Watch,
  watching,
} from "./poll_source.ts";
export type { WaitOptions, Waker } from "./wait.ts";
