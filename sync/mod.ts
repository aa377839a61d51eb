/**
 * Ways for tasks to wait for each other. Who waits longest is served first, and nobody overtakes; a wait that is
 * killed, times out or is aborted leaves no trace.
 *
 * | To... | Use |
 * | --- | --- |
 * | hand a value to exactly one task | {@linkcode Channel} |
 * | have items processed by other tasks | {@linkcode Queue}, {@linkcode PriorityQueue}, {@linkcode LifoQueue} |
 * | tell every task that something happened | {@linkcode Event} |
 * | let only one task do something | {@linkcode Lock}, {@linkcode RLock} |
 * | limit how many tasks do something | {@linkcode Semaphore} |
 * | wait for a state that is guarded by a lock | {@linkcode Condition} |
 * | wait until so many tasks are there | {@linkcode Barrier} |
 * | wait for the first of several things | {@linkcode select} |
 *
 * @module
 */
export { after } from "./after.ts";
export { Barrier, type BarrierOptions, BrokenBarrierError } from "./barrier.ts";
export { Channel, ChannelClosed } from "./channel.ts";
export { Condition } from "./condition.ts";
export { Event } from "./event.ts";
export { Lock } from "./lock.ts";
export { PriorityQueue, type PriorityQueueOptions } from "./priority_queue.ts";
export { Empty, Full, LifoQueue, Queue, type QueueStore, ShutDown } from "./queue.ts";
export { RLock } from "./rlock.ts";
export { select, type Selected } from "./select.ts";
export { BoundedSemaphore, Semaphore } from "./semaphore.ts";
