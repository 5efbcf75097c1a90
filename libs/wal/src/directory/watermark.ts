import { openToRead, readAt, readSmallFile } from '../disk/file-reading.js';
import { type File, type FileSystem, writeFully } from '../disk/file-system.js';
import { crc32 } from '../format/checksum.js';
import { readU64, writeU64 } from '../format/wal-format.js';

/**
 * WATERMARK: what is durable, for readers in other processes, and a lower bound of what was promised, for recovery.
 *
 * Two slots are written in turn, each after the fdatasync that it reports. It is synced when the log closes and not before: after a crash it can only lag,
 * never lead, because what it says was on disk before it was written. A torn slot fails its checksum and the other one counts.
 */
export interface Watermark {
  /** 16 hex digits: the timeline of the segment named here. */
  readonly timeline: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly segment: number;
  /** The end of the frame that holds `sequence`, in that segment. */
  readonly offset: number;
}

export const WATERMARK_NAME = 'WATERMARK';
const MAGIC = 0x4b4d_5748; // "HWMK"
const SLOT_BYTES = 48;
/** Each slot in a sector of its own, so that no write can tear both. */
const SLOT_DISTANCE = 512;
const FILE_BYTES = SLOT_DISTANCE + SLOT_BYTES;

/** How often a writer looks whether its file is still the one of its name. */
const PLACE_MILLIS = 1_000;

export class WatermarkWriter {
  private readonly slot = Buffer.alloc(SLOT_BYTES);
  private turn = 0;
  private lookedAtMillis = performance.now();

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly path: string,
    private file: File,
  ) {}

  /** Opens or creates the file. A new directory entry is not synced: without it, readers wait and recovery promises less. */
  static open(fileSystem: FileSystem, directory: string): WatermarkWriter {
    const path = `${directory}/${WATERMARK_NAME}`;
    return new WatermarkWriter(fileSystem, path, openOrCreate(fileSystem, path));
  }

  write(watermark: Watermark): void {
    this.keepInPlace();
    const { slot } = this;
    slot.writeUInt32LE(MAGIC, 0);
    slot.write(watermark.timeline, 8, 'hex');
    writeU64(slot, watermark.epoch, 16);
    writeU64(slot, watermark.sequence, 24);
    writeU64(slot, watermark.segment, 32);
    writeU64(slot, watermark.offset, 40);
    slot.writeUInt32LE(crc32(slot.subarray(8)), 4);
    writeFully(this.file, slot, this.turn * SLOT_DISTANCE);
    this.turn = 1 - this.turn;
  }

  /** Opens it again where another file, or none, has its name: nobody would see what is written to ours. */
  private keepInPlace(): void {
    const nowMillis = performance.now();
    if (nowMillis - this.lookedAtMillis < PLACE_MILLIS) return;
    if (!this.fileSystem.isAt(this.file, this.path)) {
      const file = openOrCreate(this.fileSystem, this.path);
      this.file.close();
      this.file = file;
    }
    this.lookedAtMillis = nowMillis;
  }

  /** When the log closes, and for a restore, which has nobody else to promise what it has made. */
  sync(): Promise<void> {
    return this.file.dataSyncAsync();
  }

  close(): void {
    this.file.close();
  }
}

function openOrCreate(fileSystem: FileSystem, path: string): File {
  return fileSystem.open(path, fileSystem.exists(path) ? 'write' : 'create');
}

/** The newest slot that verifies, or undefined. */
export function readWatermark(fileSystem: FileSystem, directory: string): Watermark | undefined {
  const content = readSmallFile(fileSystem, `${directory}/${WATERMARK_NAME}`, FILE_BYTES);
  return content === undefined ? undefined : newestSlot(content);
}

/** Whether a slot holds something that does not verify: it may have been the newest. One without any data, as a power cut leaves it, is none. */
export function isWatermarkDamaged(fileSystem: FileSystem, directory: string): boolean {
  const content = readSmallFile(fileSystem, `${directory}/${WATERMARK_NAME}`, FILE_BYTES);
  if (content === undefined) return false;
  return [0, SLOT_DISTANCE].some(
    (at) =>
      decodeSlot(content, at) === undefined &&
      content.subarray(at, at + SLOT_BYTES).some((byte) => byte !== 0),
  );
}

/** Reads the watermark again and again through one open file. */
export class WatermarkReader {
  private readonly content = Buffer.alloc(FILE_BYTES);
  private file: File | undefined;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly directory: string,
  ) {}

  /** Throws `WAL_READ_FAILED`. */
  read(): Watermark | undefined {
    const path = `${this.directory}/${WATERMARK_NAME}`;
    if (this.file === undefined && !this.fileSystem.exists(path)) return undefined;
    this.file ??= openToRead(this.fileSystem, path);
    return newestSlot(this.content.subarray(0, readAt(this.file, this.content, 0)));
  }

  /** Opens it anew at the next reading where another file, or none, has its name: the writer writes to that one. */
  keepInPlace(): void {
    const { file } = this;
    if (file !== undefined && !this.fileSystem.isAt(file, file.path)) this.close();
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }
}

function newestSlot(content: Buffer): Watermark | undefined {
  const slots = [decodeSlot(content, 0), decodeSlot(content, SLOT_DISTANCE)];
  return slots.reduce((best, slot) => (isNewer(slot, best) ? slot : best), undefined);
}

function isNewer(slot: Watermark | undefined, best: Watermark | undefined): boolean {
  if (slot === undefined || best === undefined) return best === undefined;
  if (slot.epoch !== best.epoch) return slot.epoch > best.epoch;
  return slot.sequence === best.sequence
    ? slot.segment > best.segment
    : slot.sequence > best.sequence;
}

function decodeSlot(content: Buffer, at: number): Watermark | undefined {
  if (at + SLOT_BYTES > content.length || content.readUInt32LE(at) !== MAGIC) return undefined;
  if (crc32(content.subarray(at + 8, at + SLOT_BYTES)) !== content.readUInt32LE(at + 4))
    return undefined;
  return {
    timeline: content.toString('hex', at + 8, at + 16),
    epoch: readU64(content, at + 16),
    sequence: readU64(content, at + 24),
    segment: readU64(content, at + 32),
    offset: readU64(content, at + 40),
  };
}
