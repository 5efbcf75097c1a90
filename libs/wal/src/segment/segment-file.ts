import { readAt, withFile } from '../disk/file-reading.js';
import type { File, FileSystem, ReadableFile } from '../disk/file-system.js';
import { decodeFrameHeader, frameEnd, lastSequenceOf } from '../format/frame-decoder.js';
import {
  decodeSegmentHeader,
  frameSeed,
  isHeader,
  type PredecessorSeal,
  type SegmentHeader,
} from '../format/segment-header.js';
import { formatSegmentName, type SegmentName } from '../format/segment-name.js';
import {
  FRAME_HEADER_BYTES,
  HEADER_BLOCK_BYTES,
  SEGMENT_DATA_START,
} from '../format/wal-format.js';
import { unsupported } from '../wal.errors.js';

/** What stands in the first two blocks of a segment file. */
export interface SegmentFacts {
  readonly name: SegmentName;
  /** The file's name within the log's directory. */
  readonly file: string;
  readonly path: string;
  readonly size: number;
  /** Undefined when both copies are damaged. */
  readonly header: SegmentHeader | undefined;
  /** 0 or 1: a copy that is damaged while the other is good. */
  readonly damagedCopy: 0 | 1 | undefined;
}

/** Reads both copies of the header, through `readable` where what is damaged is to be read as far as it goes. Throws `WAL_UNSUPPORTED_FORMAT`, `WAL_READ_FAILED`. */
export function inspectSegment(
  fileSystem: FileSystem,
  directory: string,
  name: SegmentName,
  readable: (file: File) => ReadableFile = (file) => file,
): SegmentFacts {
  const file = formatSegmentName(name);
  const path = `${directory}/${file}`;
  const blocks = Buffer.alloc(SEGMENT_DATA_START);
  const { size } = withFile(fileSystem, path, (opened) => {
    readAt(readable(opened), blocks, 0);
    return { size: opened.size() };
  });
  const copies = [0, 1].map((copy) =>
    decodeSegmentHeader(
      blocks.subarray(copy * HEADER_BLOCK_BYTES, (copy + 1) * HEADER_BLOCK_BYTES),
    ),
  );
  for (const copy of copies) {
    if (!isHeader(copy) && copy.kind === 'unsupported') throw unsupported(path, copy.reason);
  }
  const header = copies.find(isHeader);
  const damaged = copies.findIndex((copy) => !isHeader(copy));
  return {
    name,
    file,
    path,
    size,
    header,
    damagedCopy: header === undefined || damaged === -1 ? undefined : (damaged as 0 | 1),
  };
}

/** Whether the segment in this file ends as its successor says. */
export function lastFrameMatches(
  file: File,
  header: SegmentHeader,
  seal: PredecessorSeal,
): boolean {
  if (seal.lastFrameOffset === 0) {
    return (
      seal.lastHeaderCrc === header.headerCrc &&
      seal.dataLength === SEGMENT_DATA_START &&
      seal.lastSequence === header.firstSequence - 1
    );
  }
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES);
  readAt(file, bytes, seal.lastFrameOffset);
  const frame = decodeFrameHeader(bytes, 0, frameSeed(header), seal.lastFrameOffset);
  return (
    frame !== undefined &&
    (header.compacted !== undefined || frame.headerCrc === seal.lastHeaderCrc) &&
    frameEnd(frame) === seal.dataLength &&
    lastSequenceOf(frame) === seal.lastSequence
  );
}

export interface SealedSegment {
  readonly name: SegmentName;
  readonly header: SegmentHeader;
  readonly seal: PredecessorSeal;
}
