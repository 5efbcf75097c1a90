import type { FrameHeader } from './frame-decoder.js';
import {
  encodedRecordBytes,
  RECORD_FLAG_ENDS_BATCH,
  RECORD_TYPE_DATA,
  RECORD_TYPE_GAP,
} from './wal-format.js';

/** The beginning of a frame's body: whole batches. */
export interface BodyPart {
  readonly bytes: number;
  readonly recordCount: number;
  readonly sequenceSpan: number;
}

/** As many whole batches of a frame that has verified as end at or below `upTo`. */
export function batchesUpTo(
  header: FrameHeader,
  buffer: Buffer,
  bodyStart: number,
  upTo: number,
): BodyPart {
  const end = bodyStart + header.bodyLength;
  let part: BodyPart = { bytes: 0, recordCount: 0, sequenceSpan: 0 };
  let [at, recordCount, sequenceSpan] = [bodyStart, 0, 0];
  while (at < end) {
    const length = buffer.readUInt32LE(at);
    const type = buffer.readUInt8(at + 4);
    if (type === RECORD_TYPE_DATA) sequenceSpan++;
    else if (type === RECORD_TYPE_GAP) sequenceSpan += buffer.readUInt32LE(at + 8);
    recordCount++;
    const endsBatch = (buffer.readUInt8(at + 5) & RECORD_FLAG_ENDS_BATCH) !== 0;
    at += encodedRecordBytes(length);
    if (header.firstSequence + sequenceSpan - 1 > upTo) break;
    if (endsBatch) part = { bytes: at - bodyStart, recordCount, sequenceSpan };
  }
  return part;
}
