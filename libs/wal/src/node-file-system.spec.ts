import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { NodeFileSystem } from './node-file-system.js';

const directory = mkdtempSync(join(tmpdir(), 'node-file-system-'));
afterEach(() => rmSync(directory, { recursive: true }));

it('closed twice takes no thread from whoever has it since', async () => {
  const [first, second] = [new NodeFileSystem(), new NodeFileSystem()];
  const path = (name: string): string => join(directory, name);
  await first.createZeroed(path('first'), 1_000);
  await first.close();
  await second.createZeroed(path('second'), 1_000);
  const underWay = second.createZeroed(path('third'), 20_000_000);
  await first.close();
  await underWay;
  await second.createZeroed(path('fourth'), 1_000);
  expect(['third', 'fourth'].map((name) => statSync(path(name)).size)).toEqual([20_000_000, 1_000]);
  await second.close();
});
