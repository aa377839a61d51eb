/**
 * Whether an error of a killed task says nothing but that it was killed: it is what the task was killed with, an
 * `AggregateError` of nothing else (`Promise.any` throws one), or an error of the same words that has it as its cause,
 * which libraries make of whatever they meet.
 */
export function isOnlyTheKill(error: unknown, kill: Error): boolean {
  if (error === kill) return true;
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every((each) => isOnlyTheKill(each, kill));
  }
  return error instanceof Error && error.cause === kill && error.message === kill.message;
}
