import { type File, type FileSystem, removeIfThere, writeFullyAsync } from './file-system.js';

export const COPY_BYTES = 1024 * 1024;

/** Copies the first bytes of a file to a new one, which is durable but for its name when it resolves. An older file of that name goes. */
export async function copyToNewFile(
  fileSystem: FileSystem,
  source: File,
  path: string,
  bytes: number,
): Promise<void> {
  removeIfThere(fileSystem, path);
  const target = fileSystem.open(path, 'create');
  try {
    await copyInto(target, source, bytes);
    await target.dataSyncAsync();
  } finally {
    target.close();
  }
}

/** The first bytes of a file, to the same place of another. */
export async function copyInto(target: File, source: File, bytes: number): Promise<void> {
  for (let at = 0; at < bytes; at += COPY_BYTES)
    await writeFullyAsync(target, await chunkOf(source, bytes, at), at);
}

/** A file that is shorter than it was gives a shorter chunk, and what is made of it is not what was asked for. */
export async function chunkOf(source: File, bytes: number, at: number): Promise<Buffer> {
  const chunk = Buffer.alloc(Math.min(COPY_BYTES, bytes - at));
  return chunk.subarray(0, await source.readAsync(chunk, at));
}
