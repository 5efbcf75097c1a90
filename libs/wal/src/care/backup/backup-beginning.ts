import type { Sequence } from '../../wal.types.js';
import type { BackupFile, BackupManifest } from './backup-manifest.js';

/** The sequence whose state a file that travels along holds, by the file's name; undefined where it holds none. */
export type StandsAt = (name: string) => number | undefined;

export type Extent = Pick<BackupManifest, 'firstSequence' | 'lastSequence' | 'timelineBefore'>;

/** As `standsAt` says, of the files that what the backup holds of the log leads on from. */
export function standingIn(
  { firstSequence, lastSequence, timelineBefore }: Extent,
  standsAt: StandsAt | undefined,
): StandsAt {
  // Right before the first record only where the log remembers of which history that place was.
  const least = timelineBefore === undefined ? firstSequence : firstSequence - 1;
  return (name) => {
    const at = standsAt?.(name);
    return at !== undefined && at >= least && at <= lastSequence ? at : undefined;
  };
}

/** The first sequence that a log restored up to it is of use at; undefined where there is none. */
export function usableFrom(
  extent: Extent,
  files: readonly Pick<BackupFile, 'name'>[],
  standsAt: StandsAt | undefined,
): Sequence | undefined {
  if (extent.firstSequence === 1) return 1 as Sequence;
  const standing = standingIn(extent, standsAt);
  const places = files.flatMap(({ name }) => standing(name) ?? []);
  return places.length === 0 ? undefined : (Math.min(...places) as Sequence);
}
