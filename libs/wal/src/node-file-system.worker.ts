import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { parentPort } from 'node:worker_threads';

/**
 * The long jobs of `NodeFileSystem`, with synchronous calls in a thread of their own. Imports nothing of ours, so that
 * Node can start it as it stands.
 */
export type BackgroundJob =
  | { readonly kind: 'create-zeroed'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'sha256'; readonly path: string; readonly bytes: number };

export interface BackgroundAnswer {
  readonly id: number;
  readonly digest?: Uint8Array;
  readonly error?: { readonly message: string; readonly code?: string };
}

const CHUNK_BYTES = 1024 * 1024;

parentPort?.on('message', ({ id, job }: { id: number; job: BackgroundJob }) => {
  parentPort?.postMessage({ id, ...run(job) } satisfies BackgroundAnswer);
});

function run(job: BackgroundJob): Omit<BackgroundAnswer, 'id'> {
  try {
    if (job.kind === 'sha256') return { digest: sha256(job.path, job.bytes) };
    createZeroed(job.path, job.bytes);
    return {};
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { error: code === undefined ? { message } : { message, code } };
  }
}

function createZeroed(path: string, bytes: number): void {
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const descriptor = fs.openSync(path, 'wx', 0o640);
  try {
    for (let done = 0; done < bytes;) {
      const written = fs.writeSync(descriptor, zeros, 0, Math.min(CHUNK_BYTES, bytes - done), done);
      if (written <= 0) throw Object.assign(new Error('no space for zeros'), { code: 'ENOSPC' });
      done += written;
      // Syncing piece by piece keeps the device's queue short for the commits that go on meanwhile.
      fs.fdatasyncSync(descriptor);
    }
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
