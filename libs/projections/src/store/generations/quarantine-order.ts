import type { Position } from '@holdfast/event-store';
import type { QuarantinedCommit } from '../../quarantined-commit.js';

/** Whether a release has something to try. What only waits is tried once nothing is in its way. */
export function isOrdered(
  commits: readonly QuarantinedCommit[],
  position: Position | undefined,
): boolean {
  return commits.some((one) => isSkippable(one, position ?? one.position));
}

/** What nobody has refused yet is not given up. */
export function isSkippable(
  { attempts, skipped, position: own }: QuarantinedCommit,
  position: Position,
): boolean {
  return own === position && attempts > 0 && !skipped;
}
