import { EventLoop } from "../loop/event_loop.ts";
import { Task } from "./task.ts";

/** Where the calling code is: the event loop of its thread, and the task it runs in. */
export const current: {
  /** The loop of this thread: {@linkcode EventLoop.current}. */
  readonly loop: EventLoop;
  /** The task that calls: {@linkcode Task.current}. */
  readonly task: Task;
} = {
  get loop() {
    return EventLoop.current();
  },
  get task() {
    return Task.current();
  },
};
