import { CHANGE_LENGTH_BYTES, DELETED } from '../model/state-entry.js';

/** Small enough to be made without a pause, large enough to be few. */
const CHUNK_BYTES = 256 * 1024;
const BYTES_A_CHARACTER_MAX = 3;

/** Changes of a checkpoint as bytes, in buffers of their own that a thread may take over. */
export class CheckpointChunks {
  private readonly full: Uint8Array<ArrayBuffer>[] = [];
  private chunk = chunkOf(CHUNK_BYTES);
  private at = 0;

  /** `head` is the beginning of the entry's image; the value is JSON, or undefined for an entry that is deleted. */
  add(head: Uint8Array, value: string | undefined): void {
    const valueRoom = value === undefined ? 0 : BYTES_A_CHARACTER_MAX * value.length;
    const needed = CHANGE_LENGTH_BYTES + head.length + valueRoom;
    if (this.at + needed > this.chunk.length) this.turn(needed);
    const { chunk } = this;
    const lengthAt = this.at;
    const headAt = lengthAt + CHANGE_LENGTH_BYTES;
    const valueAt = headAt + head.length;
    chunk.set(head, headAt);
    const valueBytes = value === undefined ? 0 : chunk.write(value, valueAt, 'utf8');
    chunk.writeUInt32LE(value === undefined ? DELETED : valueBytes, lengthAt);
    this.at = valueAt + valueBytes;
  }

  finish(): Uint8Array<ArrayBuffer>[] {
    this.turn(0);
    return this.full;
  }

  private turn(needed: number): void {
    if (this.at > 0) this.full.push(this.chunk.subarray(0, this.at));
    this.chunk = chunkOf(Math.max(CHUNK_BYTES, needed));
    this.at = 0;
  }
}

function chunkOf(bytes: number): Buffer<ArrayBuffer> {
  return Buffer.from(new ArrayBuffer(bytes));
}
