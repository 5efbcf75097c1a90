import { describe, expect, it } from '@jest/globals';
import type { File } from '../disk/file-system.js';
import { afterPowerCut } from './disk-replay.js';
import type { DiskImage } from './simulated-disk.js';
import { SimulatedFileSystem } from './simulated-file-system.js';

const bytes = (text: string): Buffer => Buffer.from(text);

const texts = (image: DiskImage): Record<string, string> =>
  Object.fromEntries([...image.files].map(([path, content]) => [path, content.toString()]));

function written(system: SimulatedFileSystem, path: string, text: string): File {
  const file = system.open(path, 'create');
  file.write(bytes(text), 0);
  return file;
}

describe('the simulated disk', () => {
  it('keeps through a power cut what was synced under a name that was synced, and nothing else', () => {
    const system = SimulatedFileSystem.on();
    written(system, '/both', 'kept').dataSync();
    system.syncDirectory('/');
    written(system, '/nameless', 'lost').dataSync();
    const late = system.open('/both', 'write');
    late.write(bytes('KEPT'), 0);
    expect(texts(system.disk.image())).toEqual({ '/both': 'KEPT', '/nameless': 'lost' });
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/both': 'kept' });
  });

  it('takes a renamed file back to its old name until the directory is synced', () => {
    const system = SimulatedFileSystem.on({
      files: new Map([['/old', bytes('a')]]),
      directories: new Set(),
    });
    system.rename('/old', '/new');
    expect(texts(system.disk.image())).toEqual({ '/new': 'a' });
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/old': 'a' });
    system.syncDirectory('/');
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/new': 'a' });
  });

  it('calls pages clean after a failed sync: the next one succeeds without writing them', () => {
    const system = SimulatedFileSystem.on();
    const file = written(system, '/file', 'first');
    system.syncDirectory('/');
    system.faults.plan({
      operation: 'data-sync',
      times: 1,
      effect: { kind: 'failed-sync', code: 'EIO' },
    });
    expect(() => file.dataSync()).toThrow('EIO');
    file.dataSync();
    expect(texts(system.disk.image())).toEqual({ '/file': 'first' });
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/file': '' });
    file.write(bytes('first'), 0);
    file.dataSync();
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/file': 'first' });
  });

  it('lies, tears and misdirects when told to, so many times', () => {
    const system = SimulatedFileSystem.on();
    const file = written(system, '/file', '12345678');
    system.syncDirectory('/');
    system.faults.plan({ operation: 'data-sync', times: 1, effect: { kind: 'lying-sync' } });
    file.dataSync();
    expect(texts(afterPowerCut(system.disk))).toEqual({ '/file': '' });
    system.faults.plan({ operation: 'write', times: 1, effect: { kind: 'short-write', bytes: 2 } });
    expect(file.write(bytes('abcd'), 0)).toBe(2);
    system.faults.plan({
      operation: 'write',
      skip: 1,
      times: 1,
      effect: { kind: 'misdirected-write', distance: 4 },
    });
    file.write(bytes('c'), 2);
    file.write(bytes('d'), 3);
    expect(texts(system.disk.image())).toEqual({ '/file': 'abc4567d' });
  });

  it('locks a file for one process until it closes it or dies', () => {
    const first = SimulatedFileSystem.on();
    const second = first.sibling();
    const [one, two] = [first.open('/LOCK', 'create'), second.open('/LOCK', 'write')];
    expect([first.tryLock(one), second.tryLock(two)]).toEqual([true, false]);
    first.kill();
    expect(second.tryLock(two)).toBe(true);
    expect(() => one.write(bytes('x'), 0)).toThrow('ESRCH');
  });

  it('publishes under a name that is free, as link and unlink', async () => {
    const system = SimulatedFileSystem.on();
    written(system, '/a.tmp', 'a');
    await system.publish('/a.tmp', '/a');
    written(system, '/b.tmp', 'b');
    await expect(system.publish('/b.tmp', '/a')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(texts(system.disk.image())).toEqual({ '/a': 'a', '/b.tmp': 'b' });
  });
});
