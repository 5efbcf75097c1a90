import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/**
 * The long jobs of `NodeFileSystem`, with synchronous calls in a thread of their own. Imports nothing of ours, so that
 * Node can start it as it stands.
 */
export type BackgroundJob =
  | { readonly kind: 'create-zeroed'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'sha256'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'compress'; readonly bytes: Uint8Array; readonly blockBytes: number }
  | {
      readonly kind: 'sha256-of-blocks';
      readonly path: string;
      readonly blocks: readonly BlockPlace[];
      readonly bytes: number;
    };

/** Where a block of an archived file stands, what its stored bytes add up to, and how long it is when it is expanded. */
interface BlockPlace {
  readonly offset: number;
  readonly storedBytes: number;
  readonly crc: number;
  readonly bytes: number;
}

export interface BackgroundAnswer {
  readonly id: number;
  readonly digest?: Uint8Array;
  readonly blocks?: Uint8Array[];
  readonly error?: { readonly message: string; readonly code?: string };
}

const CHUNK_BYTES = 1024 * 1024;
/** Once for all jobs, which run one after another: this thread makes so little garbage of its own that a buffer for each would not be collected for hours. */
const ZEROS = Buffer.alloc(CHUNK_BYTES);

parentPort?.on('message', ({ id, job }: { id: number; job: BackgroundJob }) => {
  parentPort?.postMessage({ id, ...run(job) } satisfies BackgroundAnswer);
});

function run(job: BackgroundJob): Omit<BackgroundAnswer, 'id'> {
  try {
    if (job.kind === 'sha256') return { digest: sha256(job.path, job.bytes) };
    if (job.kind === 'compress') return { blocks: compress(job.bytes, job.blockBytes) };
    if (job.kind === 'sha256-of-blocks')
      return { digest: sha256OfBlocks(job.path, job.blocks, job.bytes) };
    createZeroed(job.path, job.bytes);
    return {};
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { error: code === undefined ? { message } : { message, code } };
  }
}

function createZeroed(path: string, bytes: number): void {
  const descriptor = fs.openSync(path, 'wx', 0o640);
  try {
    for (let done = 0; done < bytes;) {
      const written = fs.writeSync(descriptor, ZEROS, 0, Math.min(CHUNK_BYTES, bytes - done), done);
      if (written <= 0) throw Object.assign(new Error('no space for zeros'), { code: 'ENOSPC' });
      done += written;
      // Syncing piece by piece keeps the device's queue short for the commits that go on meanwhile.
      fs.fdatasyncSync(descriptor);
    }
    // The length and extents too, so that no commit has to. Crash before: a temporary file that the next open removes.
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function sha256(path: string, bytes: number): Uint8Array {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const hash = createHash('sha256');
  const descriptor = fs.openSync(path, 'r');
  try {
    for (let done = 0; done < bytes;) {
      const count = fs.readSync(descriptor, chunk, 0, Math.min(CHUNK_BYTES, bytes - done), done);
      if (count === 0)
        throw Object.assign(new Error('the file is shorter than its data'), { code: 'EIO' });
      hash.update(chunk.subarray(0, count));
      done += count;
    }
    return hash.digest();
  } finally {
    fs.closeSync(descriptor);
  }
}

/** As `compressBlock` in `block-codec.ts`, which this file cannot import; a test compares them. */
function compress(bytes: Uint8Array, blockBytes: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    const packed = zstdCompressSync(block, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    // A copy: a view would carry the memory of the whole message with it.
    blocks.push(packed.length < block.length ? new Uint8Array(packed) : block.slice());
  }
  return blocks;
}

function sha256OfBlocks(path: string, blocks: readonly BlockPlace[], bytes: number): Uint8Array {
  const hash = createHash('sha256');
  const descriptor = fs.openSync(path, 'r');
  let left = bytes;
  try {
    for (const { offset, storedBytes, crc, bytes: expanded } of blocks) {
      const stored = Buffer.alloc(storedBytes);
      let done = 0;
      while (done < storedBytes) {
        const count = fs.readSync(descriptor, stored, done, storedBytes - done, offset + done);
        if (count === 0) throw notAsWritten(path, offset);
        done += count;
      }
      if (crc32(stored) !== crc) throw notAsWritten(path, offset);
      const block = storedBytes === expanded ? stored : expand(stored, expanded, path, offset);
      hash.update(block.subarray(0, Math.min(left, block.length)));
      left -= Math.min(left, block.length);
    }
    return hash.digest();
  } finally {
    fs.closeSync(descriptor);
  }
}

function expand(stored: Buffer, bytes: number, path: string, offset: number): Buffer {
  try {
    const block = zstdDecompressSync(stored, { maxOutputLength: bytes });
    if (block.length === bytes) return block;
  } catch {
    // Whatever zlib says of it: these are not the bytes that were written.
  }
  throw notAsWritten(path, offset);
}

function notAsWritten(path: string, offset: number): Error {
  const message = `EBADMSG: the block at ${offset} of ${path} is not what was written`;
  return Object.assign(new Error(message), { code: 'EBADMSG' });
}
