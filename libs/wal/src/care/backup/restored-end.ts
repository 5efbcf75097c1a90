import { randomBytes } from 'node:crypto';
import type { Clock } from '@holdfast/kernel';
import { WatermarkWriter } from '../../directory/watermark.js';
import { type FileSystem, orDiscard, writeFullyAsync } from '../../disk/file-system.js';
import {
  encodeSegmentHeader,
  type PredecessorSeal,
  type SegmentHeader,
} from '../../format/segment-header.js';
import { segmentPath } from '../../format/segment-name.js';
import { SEGMENT_DATA_START, ZERO_CHUNK_BYTES } from '../../format/wal-format.js';
import { RESTORED_EPOCH } from '../../segment/log-ending.js';

/** Where what was restored ends: its last segment, and how a successor names its end. */
export interface RestoredEnd {
  readonly header: SegmentHeader;
  readonly seal: PredecessorSeal;
}

/**
 * Makes the segment behind the end of a restored or salvaged log, without a frame, and WATERMARK, which names it. The header seals what was restored; without it a damaged end would look like a
 * torn one that nobody was promised. WATERMARK would tell if the segment itself went missing. Both are durable, but for their names, when it resolves. A restored log is another history from there on;
 * a salvaged one keeps its timeline, so that a state which has come further in it is told that records are gone.
 *
 * Crash anywhere: the log's first segment does not have its name yet, or there is no MANIFEST, and the directory is refused.
 */
export async function sealRestored(
  fileSystem: FileSystem,
  directory: string,
  { header, seal }: RestoredEnd,
  clock: Clock,
  timeline = randomBytes(8).toString('hex'),
): Promise<void> {
  const firstSequence = seal.lastSequence + 1;
  const segment = header.segment + 1;
  const block = encodeSegmentHeader({
    logId: header.logId,
    timeline,
    segment,
    epoch: RESTORED_EPOCH,
    firstSequence,
    salt: randomBytes(4).readUInt32LE(0),
    durability: header.durability,
    frameBytesMax: header.frameBytesMax,
    segmentBytes: header.segmentBytes,
    createdMicros: clock.nowMillis() * 1000,
    predecessor: seal,
  });
  const path = segmentPath(directory, { segment, firstSequence, generation: 0 });
  const temporary = `${path}.tmp`;
  await orDiscard(fileSystem, temporary, async () => {
    await fileSystem.createZeroed(temporary, Math.min(header.segmentBytes, ZERO_CHUNK_BYTES));
    const file = fileSystem.open(temporary, 'write');
    try {
      await writeFullyAsync(file, Buffer.concat([block, block]), 0);
      await file.dataSyncAsync();
    } finally {
      file.close();
    }
    await fileSystem.publish(temporary, path);
  });
  const watermark = WatermarkWriter.open(fileSystem, directory);
  try {
    const place = { segment, offset: SEGMENT_DATA_START, sequence: seal.lastSequence };
    // The first writer's counts more.
    watermark.write({ timeline, epoch: RESTORED_EPOCH, ...place });
    await watermark.sync();
  } finally {
    watermark.close();
  }
}
