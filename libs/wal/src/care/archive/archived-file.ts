import { errorMessage } from '@holdfast/kernel';
import { readAt } from '../../disk/file-reading.js';
import type { File } from '../../disk/file-system.js';
import { ReadOnlyFile } from '../../disk/read-only-file.js';
import { decompressBlock, type StoredBlock } from '../../format/block-codec.js';
import { crc32 } from '../../format/checksum.js';
import { corrupt } from '../../wal.errors.js';

/** Blocks of all archived files of one store that were read last: what single records are read from. */
export class BlockCache {
  private readonly blocks = new Map<string, Uint8Array>();

  constructor(private readonly blocksMax: number) {}

  get(key: string): Uint8Array | undefined {
    const block = this.blocks.get(key);
    if (block === undefined) return undefined;
    // Taken out and put in again: the map's order is the order of use.
    this.blocks.delete(key);
    this.blocks.set(key, block);
    return block;
  }

  set(key: string, block: Uint8Array): void {
    this.blocks.set(key, block);
    const oldest = this.blocks.keys().next().value;
    if (this.blocks.size > this.blocksMax && oldest !== undefined) this.blocks.delete(oldest);
  }
}

/** What an archived file says of itself, as far as reading its content needs it. */
export interface ArchivedContent {
  readonly contentBytes: number;
  readonly blockBytes: number;
  readonly blocks: readonly StoredBlock[];
  readonly firstSequence: number;
}

/** The content of an archived segment behind the port of files: positional, synchronous, read-only. Each block is checked as it is read. */
export class ArchivedFile extends ReadOnlyFile {
  readonly path: string;

  constructor(
    private readonly stored: File,
    private readonly content: ArchivedContent,
    private readonly cache: BlockCache,
  ) {
    super();
    this.path = stored.path;
  }

  size(): number {
    return this.content.contentBytes;
  }

  read(target: Uint8Array, position: number): number {
    const { contentBytes, blockBytes } = this.content;
    const end = Math.min(contentBytes, position + target.length);
    for (let at = position; at < end;) {
      const within = at % blockBytes;
      const block = this.block(Math.floor(at / blockBytes));
      const part = block.subarray(within, Math.min(block.length, within + end - at));
      target.set(part, at - position);
      at += part.length;
    }
    return Math.max(0, end - position);
  }

  readAsync(target: Uint8Array, position: number): Promise<number> {
    return Promise.resolve().then(() => this.read(target, position));
  }

  close(): void {
    this.stored.close();
  }

  private block(number: number): Uint8Array {
    const key = `${this.path} ${number}`;
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    const place = this.content.blocks[number];
    if (place === undefined) throw this.damage(0, 'a block is not in the table');
    const stored = Buffer.alloc(place.storedBytes);
    const read = readAt(this.stored, stored, place.offset);
    if (read < stored.length || crc32(stored) !== place.crc)
      throw this.damage(place.offset, 'a block of the archive does not match its checksum');
    const block = this.decompressed(stored, place);
    this.cache.set(key, block);
    return block;
  }

  private decompressed(stored: Buffer, { offset, bytes }: StoredBlock): Uint8Array {
    let block: Uint8Array;
    try {
      block = decompressBlock(stored, bytes);
    } catch (error) {
      throw this.damage(
        offset,
        `a block of the archive cannot be expanded: ${errorMessage(error)}`,
      );
    }
    if (block.length === bytes) return block;
    throw this.damage(offset, 'a block of the archive has another length than it should have');
  }

  private damage(offset: number, reason: string): Error {
    const { firstSequence } = this.content;
    return corrupt(reason, { file: this.path, offset, firstSequence });
  }
}
