import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchStore } from './bench-store.js';

const FILE_BYTES = 256 * 1024 * 1024;
const ALIGNMENT = 8;

/**
 * The ceiling: pwrite and fdatasync of the same bytes into a file zeroed before, nothing else. Whoever waits together is written together;
 * no checksum, no header, no recovery. Starts again at the beginning when the file is full.
 */
export function openDevice(directory: string): Promise<BenchStore> {
  const descriptor = openSync(join(directory, 'device'), 'wx+');
  const zeros = Buffer.alloc(1024 * 1024);
  for (let at = 0; at < FILE_BYTES; at += zeros.length)
    writeSync(descriptor, zeros, 0, zeros.length, at);
  fdatasyncSync(descriptor);

  let offset = 0;
  const writeAndSync = (bytes: Buffer): void => {
    if (offset + bytes.length > FILE_BYTES) offset = 0;
    writeSync(descriptor, bytes, 0, bytes.length, offset);
    fdatasyncSync(descriptor);
    offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  };

  let waiting: { payload: Buffer; resolve: (value: undefined) => void }[] = [];
  const flush = (): void => {
    const group = waiting;
    waiting = [];
    writeAndSync(Buffer.concat(group.map(({ payload }) => payload)));
    for (const { resolve } of group) resolve(undefined);
  };

  return Promise.resolve({
    append: (payload) =>
      new Promise<undefined>((resolve) => {
        if (waiting.push({ payload, resolve }) === 1) setImmediate(flush);
      }),
    appendBatch: (payloads) => {
      writeAndSync(Buffer.concat(payloads));
      return Promise.resolve();
    },
    close: () => {
      closeSync(descriptor);
      return Promise.resolve();
    },
  });
}
