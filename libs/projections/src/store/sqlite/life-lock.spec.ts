import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LifeLock } from './life-lock.js';

const HOLDER = `
  const { openSync } = require('node:fs');
  const { tryLock } = require('fs-native-extensions');
  if (!tryLock(openSync(process.argv[1], 'a+'), 7, 1)) process.exit(1);
  process.stdout.write('held');
  setInterval(() => {}, 1000);
`;

describe('a life lock', () => {
  it('shows life for one token and not for another, until it is released', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-life-'));
    const path = join(directory, 'locks');
    const lock = LifeLock.take(path, 3);
    expect([LifeLock.isHeld(path, 3), LifeLock.isHeld(path, 4)]).toEqual([true, false]);
    expect(LifeLock.take(path, 3)).toBeUndefined();
    lock!.release();
    expect(LifeLock.isHeld(path, 3)).toBe(false);
    await rm(directory, { recursive: true });
  });

  it('ends with a process that is killed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-life-'));
    const path = join(directory, 'locks');
    const holder = spawn(process.execPath, ['-e', HOLDER, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(LifeLock.isHeld(path, 7)).toBe(true);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(LifeLock.isHeld(path, 7)).toBe(false);
    await rm(directory, { recursive: true });
  });
});
