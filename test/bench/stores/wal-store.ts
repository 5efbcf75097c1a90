import { Wal } from '@holdfast/wal';
import type { BenchStore } from './bench-store.js';

export async function openWal(directory: string): Promise<BenchStore> {
  const wal = await Wal.open(directory, { create: true });
  return {
    append: (payload) => wal.append([payload]).durable,
    appendBatch: (payloads) => wal.append(payloads).durable,
    close: () => wal.close(),
  };
}
