import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { systemClock } from '@holdfast/kernel';
import { type Manifest, writeManifest } from '../../directory/manifest.js';
import type { FileSystem } from '../../disk/file-system.js';
import { lastSequenceOf } from '../../format/frame-decoder.js';
import { FrameEncoder } from '../../format/frame-encoder.js';
import { FRAME_BYTES_MAX, SEGMENT_BYTES_DEFAULT } from '../../format/wal-format.js';
import type { ScannedFrame } from '../../segment/frame-scanner.js';
import { SpareSegment } from '../../segment/spare-segment.js';
import { WalError } from '../../wal.errors.js';
import type { Sequence } from '../../wal.types.js';
import { type ChainIdentity, SegmentChain } from '../../write/segment-chain.js';
import { sealRestored } from '../backup/restored-end.js';

const YIELD_BYTES = 4 * 1024 * 1024;
/** What one gap record can stand for: its count is a u32, written as a signed word. */
const GAP_SEQUENCES_MAX = 0x7fff_ffff;

/** What the new log holds. */
export interface SalvagedRecords {
  readonly logId: string;
  readonly frames: number;
  readonly records: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Sequences up to the last that are gone: the log begins behind those at its beginning, and gap records stand for the others. Every other record keeps its place. */
  readonly missing: readonly { readonly firstSequence: number; readonly lastSequence: number }[];
}

type SalvagedFrom = Pick<Manifest, 'logId' | 'firstSequence' | 'placesBefore'>;

/**
 * The new log, written frame by frame with the format's own parts. Up to the first record that is gone it is the history of the source, in the source's timelines: states, snapshots and consumers of
 * a place there go on. From the first gap on it is a history of its own, in which nobody stands who has seen what is gone. What is gone of the beginning is no gap: only a state or a snapshot can
 * stand for it, and from a log that begins later nobody makes one of the rest alone.
 */
export class SalvagedLog {
  private readonly chain: SegmentChain;
  private readonly spare: SpareSegment;
  private readonly identity: ChainIdentity & { timeline: string };
  /** Once something is missing. */
  private ownTimeline: string | undefined;
  private readonly encoder = new FrameEncoder(64 * 1024);
  private readonly missing: { firstSequence: number; lastSequence: number }[] = [];
  private firstSequence: number;
  private lastSequence: number;
  private begun = false;
  private closed = false;
  private frames = 0;
  private records = 0;
  private bytesSinceYield = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
    private readonly source: SalvagedFrom,
    segmentBytes = SEGMENT_BYTES_DEFAULT,
  ) {
    const { logId, firstSequence } = source;
    this.firstSequence = firstSequence;
    this.lastSequence = firstSequence - 1;
    this.identity = {
      logId,
      timeline: '',
      epoch: 1,
      durability: 'none',
      frameBytesMax: FRAME_BYTES_MAX,
      segmentBytes,
      roomRetryMillis: 0,
    };
    const { identity } = this;
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

  /** A frame of that timeline. False, and nothing is written, when one of its sequences is there already or before the log's beginning. */
  async add({ header, buffer, bodyStart }: ScannedFrame, timeline: string): Promise<boolean> {
    const last = lastSequenceOf(header);
    const expected = this.lastSequence + 1;
    if (header.firstSequence < expected) return false;
    const gone = { firstSequence: expected, lastSequence: header.firstSequence - 1 };
    const isGap = header.firstSequence > expected;
    if (isGap) this.missing.push(gone);
    if (isGap && this.begun) this.ownTimeline ??= randomBytes(8).toString('hex');
    if (!this.begun) {
      this.firstSequence = header.firstSequence;
      this.lastSequence = gone.lastSequence;
    }
    await this.goOnIn(this.ownTimeline ?? timeline);
    await this.fillGap(gone.lastSequence, header.wallMicros);
    const body = buffer.subarray(bodyStart, bodyStart + header.bodyLength);
    await this.write(last, header.wallMicros, (encoder) =>
      encoder.addBody(body, header.recordCount, header.sequenceSpan),
    );
    this.records += header.recordCount;
    this.frames++;
    this.bytesSinceYield += header.bodyLength;
    return true;
  }

  private async fillGap(lastSequence: number, wallMicros: number): Promise<void> {
    while (this.lastSequence < lastSequence) {
      const sequences = Math.min(lastSequence - this.lastSequence, GAP_SEQUENCES_MAX);
      await this.write(this.lastSequence + sequences, wallMicros, (encoder) =>
        encoder.addGap(sequences),
      );
    }
  }

  shouldYield(): boolean {
    if (this.bytesSinceYield < YIELD_BYTES) return false;
    this.bytesSinceYield = 0;
    return true;
  }

  /** All is promised, as of a restored log, and durable with its names, before there is a MANIFEST. */
  async finish(): Promise<SalvagedRecords> {
    const { fileSystem, directory, frames, records, missing, firstSequence, lastSequence } = this;
    const { logId, placesBefore } = this.source;
    if (!this.begun) throw refused('no frame could be read', directory);
    const { header, name, writer } = this.chain.current;
    writer.file.dataSync();
    const seal = writer.seal(name, lastSequence as Sequence);
    await this.close();
    await sealRestored(fileSystem, directory, { header, seal }, systemClock, header.timeline);
    fileSystem.syncDirectory(directory);
    writeManifest(fileSystem, directory, {
      logId,
      firstSegment: 1,
      firstSequence,
      placesBefore,
      generations: new Map(),
    });
    return { logId, frames, records, firstSequence, lastSequence, missing };
  }

  /** Also of one that has come to nothing: no file stays open, and none that was only prepared. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.chain.close();
    await this.spare.close();
  }

  /** A timeline begins with a segment of its own. */
  private async goOnIn(timeline: string): Promise<void> {
    if (timeline === this.identity.timeline) return;
    this.identity.timeline = timeline;
    if (!this.begun) return this.begin();
    const { name, writer } = this.chain.current;
    const lastSequence = this.lastSequence as Sequence;
    await writer.file.dataSyncAsync();
    const seal = writer.seal(name, lastSequence);
    await this.chain.begin(name.segment + 1, lastSequence, seal);
    writer.file.close();
  }

  private async begin(): Promise<void> {
    this.begun = true;
    const { fileSystem, directory } = this;
    // Not before there is something for it. Crash from here to the end: a directory without MANIFEST; the source is untouched, and salvage is repeated elsewhere.
    fileSystem.makeDirectory(directory);
    fileSystem.syncDirectory(dirname(directory));
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

  /** With the time at which the frame was first written, which a restore to a time goes by; a gap has that of the frame behind it. */
  private async write(
    lastSequence: number,
    wallMicros: number,
    fill: (encoder: FrameEncoder) => void,
  ): Promise<void> {
    const { encoder } = this;
    encoder.reset();
    fill(encoder);
    const segment = this.chain.reserve(encoder.byteLength);
    if (segment === undefined)
      throw refused('there is no room for another segment', this.directory);
    if (segment !== this.chain.current.writer) {
      const { sealed } = await this.chain.rotate(this.lastSequence as Sequence);
      sealed.writer.file.close();
    }
    const first = (this.lastSequence + 1) as Sequence;
    const frame = segment.encode(encoder, first, 0 as Sequence, wallMicros);
    segment.write(frame);
    segment.advance(frame);
    this.lastSequence = lastSequence;
  }
}

export function refused(reason: string, directory: string): WalError {
  return new WalError('WAL_SALVAGE_REFUSED', `nothing was salvaged: ${reason}`, { directory });
}
