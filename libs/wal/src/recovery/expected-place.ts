import { endsIn } from '../segment/log-ending.js';
import { behindState } from '../wal.errors.js';
import type { LogPosition } from '../wal.types.js';
import type { Diagnosis } from './recovery.js';

/**
 * `behind-state`. Whether the log holds the place that somebody's state has come to, in the history that it was of. Throws `WAL_BEHIND_STATE` when the log
 * ends in that history, and before the place: records that were durable are gone. A log that has gone on in another history, as one that was restored, is
 * no reason to refuse it: the state has to be made anew.
 */
export function holdsPlace({ manifest, sealed, tail }: Diagnosis, place: LogPosition): boolean {
  const { logId, sequence, timeline } = place;
  if (manifest?.logId !== logId || tail === undefined) return false;
  const { lastSequence } = tail.scan;
  if (sequence > lastSequence) {
    const before = manifest.placesBefore.get(lastSequence);
    const isBehind = endsIn(timeline, [...sealed, tail], lastSequence, before);
    if (isBehind) throw behindState(place, lastSequence);
    return false;
  }
  const segments = [...sealed, tail];
  const holding = segments.findLast(({ name }) => name.firstSequence <= sequence);
  // The segment itself may have been removed with everything before it; then the log remembers of which history it was.
  if (holding === undefined)
    return manifest.placesBefore.get(sequence) === timeline || sequence === 0;
  return holding.header.timeline === timeline;
}
