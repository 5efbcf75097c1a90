import { setImmediate } from 'node:timers/promises';
import { lastSequenceOf } from '../../format/frame-decoder.js';
import type { CatalogEntry } from '../../read/segment-catalog.js';
import { FrameScanner } from '../../segment/frame-scanner.js';
import { throwIfCancelled } from '../../wal.errors.js';
import type { BackupContent } from './backup-content.js';

/**
 * The last sequence of a frame that was written at or before this time; undefined if there is none. A wall clock may be wrong for a while, so the times of frames go up and down, and neither a
 * frame that says it is later nor the times in a footer end the search: what stands before a frame was written before it, whatever its own time says. Frames without records are written while
 * nothing is appended, and also under a clock that keeps appends from being admitted: their times say nothing.
 *
 * Reads from the newest segment back to the one that holds it. Throws `WAL_CORRUPT`, `WAL_READ_FAILED`, `WAL_CANCELLED`.
 */
export async function lastWrittenBy(
  content: BackupContent,
  wallMicros: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (wallMicros === Infinity) return content.manifest.lastSequence;
  for (const entry of [...content.entries].reverse()) {
    throwIfCancelled(signal);
    const last = lastWithin(content, entry, wallMicros);
    if (last !== undefined) return last;
    // Between two segments others have their turn, and a cancellation is heard.
    await setImmediate();
  }
  return undefined;
}

function lastWithin(
  { catalog }: BackupContent,
  entry: CatalogEntry,
  wallMicros: number,
): number | undefined {
  const { header: segment, dataLength = 0 } = entry;
  const { file } = catalog.open(entry);
  try {
    const scanner = new FrameScanner(file, segment, { limit: dataLength, reuse: true });
    let last: number | undefined;
    for (const frame of scanner) {
      const { header } = frame;
      const counts = header.sequenceSpan > 0 && header.wallMicros <= wallMicros;
      if (counts) last = lastSequenceOf(header);
    }
    if (scanner.offset === dataLength) return last;
    throw scanner.damage(segment.firstSequence);
  } finally {
    file.close();
  }
}
