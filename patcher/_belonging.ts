import { Scheduler } from "../loop/scheduler.ts";
import { Strand } from "../loop/strand.ts";

/**
 * Has what the calling task has begun end when the task is killed, or timed out by a `Timeout` that it had started
 * before. A shield around the rest of the task holds that off.
 *
 * @param end Is called then, once at the most.
 * @returns What to call when there is nothing left to end.
 */
export function belongsToTask(end: (error: unknown) => void): () => void {
  const strand = Strand.current(Scheduler.current());
  const scope = {
    interrupted(error: unknown): void {
      if (strand.level().shields > level.shields) return;
      forget();
      end(error);
    },
  };
  const level = strand.open(scope);
  // A kill that a shield has held off comes by the signal when the shield is over.
  const signal = strand === strand.scheduler.main ? undefined : strand.task!.signal;
  const killed = (): void => {
    forget();
    end(signal!.reason);
  };
  const forget = (): void => {
    strand.close(scope);
    signal?.removeEventListener("abort", killed);
  };
  signal?.addEventListener("abort", killed);
  return forget;
}
