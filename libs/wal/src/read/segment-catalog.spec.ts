import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { File } from '../disk/file-system.js';
import { NodeFileSystem } from '../disk/node-file-system.js';
import { Wal } from '../wal.js';
import { WalReader } from '../wal-reader.js';
import { BEFORE_FIRST } from '../wal.types.js';

/** The real disk, counting the bytes that are asked of it. */
class CountingFileSystem extends NodeFileSystem {
  bytesRead = 0;

  override open(path: string, mode: 'read' | 'write' | 'create'): File {
    const file = super.open(path, mode);
    const read = file.read.bind(file);
    file.read = (target, position): number => {
      const count = read(target, position);
      this.bytesRead += count;
      return count;
    };
    return file;
  }
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'catalog-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

it('lets a reader beside the writer go on near where it stood, not at the start of a long segment', async () => {
  const wal = await Wal.open(directory, { create: true });
  for (let batch = 0; batch < 300; batch++) {
    await wal.append(Array.from({ length: 50 }, () => Buffer.alloc(300))).durable;
  }
  const fileSystem = new CountingFileSystem();
  const reader = await WalReader.open(directory, { fileSystem });
  const seen = await reader.scan(BEFORE_FIRST, () => undefined);
  expect(fileSystem.bytesRead).toBeGreaterThan(4_000_000);

  await wal.append([Buffer.alloc(300)]).durable;
  fileSystem.bytesRead = 0;
  expect(await reader.scan(seen, () => undefined)).toBe(seen + 1);
  // At most the distance of two index entries, a frame across the last one, and the watermark.
  expect(fileSystem.bytesRead).toBeLessThan(200_000);
  await reader.close();
  await fileSystem.close();
  await wal.close();
});
