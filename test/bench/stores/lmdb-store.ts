import { open } from 'lmdb';
import type { BenchStore } from './bench-store.js';

/** lmdb groups concurrent puts into one transaction itself. Without overlapping sync a put resolves after its transaction was flushed. */
export function openLmdb(directory: string): Promise<BenchStore> {
  const database = open<Buffer, number>({
    path: directory,
    keyEncoding: 'uint32',
    encoding: 'binary',
    overlappingSync: false,
    mapSize: 8 * 1024 ** 3,
  });
  let key = 0;
  return Promise.resolve({
    append: (payload) => database.put(++key, payload),
    appendBatch: (payloads) =>
      database.transaction(() => {
        for (const payload of payloads) void database.put(++key, payload);
      }),
    close: () => database.close(),
  });
}
