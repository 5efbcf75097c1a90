import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { errorMessage, systemClock } from '@holdfast/kernel';
import type { File, FileSystem } from './file-system.js';
import { decodeFrameHeader, lastSequenceOf } from './frame-decoder.js';
import { FrameEncoder } from './frame-encoder.js';
import { FrameScanner, type ScannedFrame } from './frame-scanner.js';
import { readManifest, writeManifest } from './manifest.js';
import { NodeFileSystem } from './node-file-system.js';
import { inspectSegment, openToRead, readAt, type SegmentFacts } from './segment-file.js';
import { SegmentChain } from './segment-chain.js';
import { frameSeed, type SegmentHeader } from './segment-header.js';
import { parseSegmentName } from './segment-name.js';
import { SpareSegment } from './spare-segment.js';
import { WalError } from './wal.errors.js';
import type { Sequence } from './wal.types.js';
import {
  FRAME_ALIGNMENT,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  SEGMENT_BYTES_DEFAULT,
  SEGMENT_DATA_START,
} from './wal-format.js';

/** Something that could not be brought over. */
export interface SalvageLoss {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface SalvageReport {
  readonly logId: string;
  readonly segments: number;
  readonly frames: number;
  readonly records: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Sequences between the first and the last that are gone: gap records stand for them, so that every other record keeps its place. */
  readonly missing: readonly { readonly firstSequence: number; readonly lastSequence: number }[];
  /** Stretches of files in which no valid frame was found although data stood there. */
  readonly losses: readonly SalvageLoss[];
}

export interface SalvageOptions {
  readonly fileSystem?: FileSystem;
  readonly onProgress?: (progress: {
    readonly segmentsDone: number;
    readonly segmentsTotal: number;
  }) => void;
}

/**
 * Makes a new log of every frame that still verifies in a damaged one. The damaged one is only read. Records keep their sequences;
 * what is gone between them is named, and becomes gap records. What a transaction spread over the gap meant is for its owner to judge: a log
 * that was salvaged opens, but it is not the log that was promised.
 *
 * The new MANIFEST names no segment until everything stands, so a salvage that was cut short does not open as a log. Throws
 * `WAL_SALVAGE_REFUSED` when the target exists or nothing can be read.
 */
export async function salvage(
  from: string,
  to: string,
  options: SalvageOptions = {},
): Promise<SalvageReport> {
  const fileSystem = options.fileSystem ?? new NodeFileSystem();
  const [source, target] = [resolve(from), resolve(to)];
  try {
    if (fileSystem.exists(target)) throw refused(`${target} exists`, target);
    const { readable, losses } = inspectAll(fileSystem, source);
    const first = readable[0];
    if (first === undefined)
      throw refused(`${source} holds no segment with a readable header`, source);
    // Crash from here to the end: a directory whose MANIFEST, if there is one, names no segment; the source is untouched, and salvage is repeated elsewhere.
    fileSystem.makeDirectory(target);
    fileSystem.syncDirectory(dirname(target));
    const copy = new SalvagedLog(
      fileSystem,
      target,
      first.header.logId,
      firstSequenceOf(fileSystem, source),
    );
    let done = 0;
    for (const segment of readable) {
      for (const found of framesOf(fileSystem, segment)) {
        if ('reason' in found) losses.push(found);
        else await copy.add(found);
        if (copy.shouldYield()) await setImmediate();
      }
      options.onProgress?.({ segmentsDone: ++done, segmentsTotal: readable.length });
    }
    return { ...(await copy.finish()), segments: readable.length, losses };
  } finally {
    if (options.fileSystem === undefined) await fileSystem.close();
  }
}

/** Where the damaged log began; the start of all logs when its MANIFEST cannot say. */
function firstSequenceOf(fileSystem: FileSystem, directory: string): number {
  try {
    return readManifest(fileSystem, directory)?.firstSequence ?? 1;
  } catch {
    return 1;
  }
}

interface ReadableSegment {
  readonly facts: SegmentFacts;
  readonly header: SegmentHeader;
}

/** In the order of their numbers; of several generations the highest. */
function inspectAll(
  fileSystem: FileSystem,
  directory: string,
): { readable: ReadableSegment[]; losses: SalvageLoss[] } {
  const names = fileSystem
    .list(directory)
    .map(parseSegmentName)
    .filter((name) => name !== undefined);
  names.sort((a, b) => a.segment - b.segment || b.generation - a.generation);
  const newest = names.filter((name, at) => names[at - 1]?.segment !== name.segment);
  const readable: ReadableSegment[] = [];
  const losses: SalvageLoss[] = [];
  for (const name of newest) {
    try {
      const facts = inspectSegment(fileSystem, directory, name);
      const { header } = facts;
      if (header !== undefined) readable.push({ facts, header });
      else
        losses.push({
          file: facts.path,
          from: 0,
          to: facts.size,
          reason: 'both copies of the header are damaged',
        });
    } catch (error) {
      losses.push({ file: JSON.stringify(name), from: 0, to: 0, reason: errorMessage(error) });
    }
  }
  return { readable, losses };
}

/** Every valid frame of a segment; where there is none, looks for the next one at every place where a frame can stand. */
function* framesOf(
  fileSystem: FileSystem,
  { facts, header }: ReadableSegment,
): Generator<ScannedFrame | SalvageLoss> {
  const file = openToRead(fileSystem, facts.path);
  try {
    let at = SEGMENT_DATA_START;
    while (at < facts.size) {
      const scanner = new FrameScanner(file, header, { from: at, limit: facts.size, reuse: false });
      for (let frame = scanner.next(); frame !== undefined; frame = scanner.next()) yield frame;
      const next = nextFrame(file, header, scanner.offset + FRAME_ALIGNMENT, facts.size);
      if (next === undefined) return;
      yield { file: facts.path, from: scanner.offset, to: next, reason: scanner.stopReason };
      at = next;
    }
  } catch (error) {
    yield { file: facts.path, from: 0, to: facts.size, reason: errorMessage(error) };
  } finally {
    file.close();
  }
}

const SEARCH_BYTES = 1024 * 1024;

function nextFrame(
  file: File,
  segment: SegmentHeader,
  from: number,
  size: number,
): number | undefined {
  const seed = frameSeed(segment);
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(FRAME_MAGIC, 0);
  const chunk = Buffer.alloc(SEARCH_BYTES + FRAME_HEADER_BYTES);
  for (let start = from; start < size; start += SEARCH_BYTES) {
    const bytes = chunk.subarray(
      0,
      readAt(file, chunk.subarray(0, Math.min(chunk.length, size - start)), start),
    );
    for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
      if ((start + at) % FRAME_ALIGNMENT !== 0) continue;
      if (decodeFrameHeader(bytes, at, seed, start + at) !== undefined) return start + at;
    }
  }
  return undefined;
}

const YIELD_BYTES = 4 * 1024 * 1024;
/** What one gap record can stand for: its count is a u32, written as a signed word. */
const GAP_SEQUENCES_MAX = 0x7fff_ffff;

/** The new log, written frame by frame with the format's own parts. */
class SalvagedLog {
  private readonly chain: SegmentChain;
  private readonly spare: SpareSegment;
  private readonly encoder = new FrameEncoder(64 * 1024);
  private readonly missing: { firstSequence: number; lastSequence: number }[] = [];
  private lastSequence: number;
  private begun = false;
  private frames = 0;
  private records = 0;
  private bytesSinceYield = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly logId: string,
    private readonly firstSequence: number,
  ) {
    this.lastSequence = firstSequence - 1;
    writeManifest(fileSystem, directory, {
      logId,
      firstSegment: 0,
      firstSequence: 1,
      generations: new Map(),
    });
    const identity = {
      logId,
      timeline: randomBytes(8).toString('hex'),
      epoch: 1,
      durability: 'none' as const,
      frameBytesMax: FRAME_BYTES_MAX,
      segmentBytes: SEGMENT_BYTES_DEFAULT,
    };
    this.spare = new SpareSegment(fileSystem, directory, identity.epoch, identity.segmentBytes);
    const randomU32 = (): number => randomBytes(4).readUInt32LE(0);
    this.chain = new SegmentChain(
      fileSystem,
      directory,
      identity,
      this.spare,
      systemClock,
      randomU32,
    );
  }

  async add({ header, buffer, bodyStart }: ScannedFrame): Promise<void> {
    const last = lastSequenceOf(header);
    if (header.sequenceSpan === 0 || last <= this.lastSequence) return;
    await this.begin();
    const expected = this.lastSequence + 1;
    // A frame that overlaps what was found before can only come from another history; the earlier one stands.
    if (header.firstSequence < expected) return;
    if (header.firstSequence > expected) await this.addGap(expected, header.firstSequence - 1);
    const body = buffer.subarray(bodyStart, bodyStart + header.bodyLength);
    await this.write(last, (encoder) =>
      encoder.addBody(body, header.recordCount, header.sequenceSpan),
    );
    this.records += header.recordCount;
    this.frames++;
    this.bytesSinceYield += header.bodyLength;
  }

  private async addGap(firstSequence: number, lastSequence: number): Promise<void> {
    this.missing.push({ firstSequence, lastSequence });
    while (this.lastSequence < lastSequence) {
      const sequences = Math.min(lastSequence - this.lastSequence, GAP_SEQUENCES_MAX);
      await this.write(this.lastSequence + sequences, (encoder) => encoder.addGap(sequences));
    }
  }

  shouldYield(): boolean {
    if (this.bytesSinceYield < YIELD_BYTES) return false;
    this.bytesSinceYield = 0;
    return true;
  }

  /** Everything is synced before MANIFEST names it. */
  async finish(): Promise<Omit<SalvageReport, 'segments' | 'losses'>> {
    const { logId, frames, records, missing, firstSequence, lastSequence } = this;
    if (!this.begun) throw refused('no frame could be read', this.directory);
    this.chain.current.writer.file.dataSync();
    this.chain.close();
    await this.spare.close();
    writeManifest(this.fileSystem, this.directory, {
      logId,
      firstSegment: 1,
      firstSequence,
      generations: new Map(),
    });
    return { logId, frames, records, firstSequence, lastSequence, missing };
  }

  private async begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    const lastSequence = this.lastSequence as Sequence;
    const nothing = {
      dataLength: 0,
      lastSequence,
      lastHeaderCrc: 0,
      lastFrameOffset: 0,
      generation: 0,
    };
    await this.chain.begin(1, lastSequence, nothing);
  }

  private async write(lastSequence: number, fill: (encoder: FrameEncoder) => void): Promise<void> {
    const { encoder } = this;
    encoder.reset();
    fill(encoder);
    const segment = this.chain.reserve(encoder.byteLength);
    if (segment === undefined)
      throw refused('there is no room for another segment', this.directory);
    if (segment !== this.chain.current.writer)
      await this.chain.rotate(this.lastSequence as Sequence);
    const first = (this.lastSequence + 1) as Sequence;
    const frame = segment.encode(encoder, first, 0 as Sequence, systemClock.nowMillis() * 1000);
    segment.write(frame);
    segment.advance(frame);
    this.lastSequence = lastSequence;
  }
}

function refused(reason: string, directory: string): WalError {
  return new WalError('WAL_SALVAGE_REFUSED', `nothing was salvaged: ${reason}`, { directory });
}
