import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { readWatermark } from './directory/watermark.js';
import { NodeFileSystem } from './disk/node-file-system.js';
import { crc32 } from './format/checksum.js';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from './testing/index.js';
import type { Wal } from './wal.js';

const COPY = '/data/copy';

/** As `cp -a` does: the same names and bytes, other files. */
function copyLog(system: SimulatedFileSystem): void {
  system.makeDirectory(COPY);
  for (const file of system.list(LOG)) copyFile(system, `${LOG}/${file}`, `${COPY}/${file}`);
}

function copyFile(system: SimulatedFileSystem, from: string, to: string): void {
  const content = system.disk.image().files.get(from) ?? Buffer.alloc(0);
  const file = system.open(to, 'create');
  if (content.length > 0) file.write(content, 0);
  file.close();
}

function putInPlace(system: SimulatedFileSystem): void {
  system.rename(LOG, '/data/old');
  system.rename(COPY, LOG);
}

/** Digests of what counts: temporary files do not. */
const filesOf = (system: SimulatedFileSystem, directory: string): Record<string, number> =>
  Object.fromEntries(
    [...system.disk.image().files]
      .filter(([path]) => path.startsWith(`${directory}/`) && !path.endsWith('.tmp'))
      .map(([path, content]) => [path, crc32(content)]),
  );

const replaced = expect.objectContaining({
  code: 'WAL_FENCED',
  message: expect.stringContaining('replaced'),
});

async function expectFenced(wal: Wal): Promise<void> {
  await expect(wal.append(batchAfter(wal.lastSequence, 1)).durable).rejects.toEqual(replaced);
  await expect(wal.failed).resolves.toEqual(replaced);
}

describe('a writer whose files are replaced', () => {
  it.each(['synchronous', 'asynchronous'] as const)(
    'acknowledges nothing once a copy of the directory is in its place (%s)',
    async (ioMode) => {
      const system = SimulatedFileSystem.on();
      const wal = await openSimulated(system, { ioMode });
      await wal.append(batchAfter(0, 1)).durable;
      copyLog(system);
      putInPlace(system);
      const copied = filesOf(system, LOG);
      await expectFenced(wal);
      expect(() => wal.floors.set('late', wal.durableSequence)).toThrow(replaced);
      await wal.close();
      expect(filesOf(system, LOG)).toEqual(copied);
      expect(system.openFileCount).toBe(0);
    },
  );

  it('acknowledges nothing once another file has the name of its segment', async () => {
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    const segment = wal.segments().at(-1)?.path ?? '';
    copyFile(system, segment, `${LOG}/copied`);
    system.rename(`${LOG}/copied`, segment);
    await expectFenced(wal);
    await wal.close();
  });

  it('cuts no file of the copy when it finishes a segment in the background', async () => {
    const system = SimulatedFileSystem.on();
    const sha256 = system.sha256.bind(system);
    const swapped = Promise.withResolvers<Record<string, number>>();
    system.sha256 = async (path, bytes) => {
      const digest = await sha256(path, bytes);
      copyLog(system);
      putInPlace(system);
      swapped.resolve(filesOf(system, LOG));
      return digest;
    };
    const wal = await openSimulated(system);
    for (let sequence = 1; sequence <= 20; sequence++) {
      const { durable } = wal.append(batchAfter(sequence - 1, 1, 2_000));
      await durable.catch(() => undefined);
      if (wal.poison !== undefined) break;
    }
    const copied = await swapped.promise;
    await wal.close();
    expect(filesOf(system, LOG)).toEqual(copied);
  });

  it.each(['removed', 'replaced'])('opens a WATERMARK anew that was %s', async (how) => {
    let nowMillis = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMillis);
    const system = SimulatedFileSystem.on();
    const wal = await openSimulated(system);
    await wal.append(batchAfter(0, 1)).durable;
    if (how === 'replaced') copyFile(system, `${LOG}/WATERMARK`, `${LOG}/copied`);
    system.unlink(`${LOG}/WATERMARK`);
    if (how === 'replaced') system.rename(`${LOG}/copied`, `${LOG}/WATERMARK`);
    // It looks once a second at most: that costs nothing under load.
    nowMillis += 999;
    await wal.append(batchAfter(1, 1)).durable;
    expect(readWatermark(system, LOG)?.sequence).toBe(how === 'replaced' ? 1 : undefined);
    nowMillis += 1;
    await wal.append(batchAfter(2, 1)).durable;
    expect(readWatermark(system, LOG)?.sequence).toBe(3);
    expect(wal.stats()).toMatchObject({ rotations: 0, watermarkFailures: 0 });
    await wal.close();
    expect(system.openFileCount).toBe(0);
    jest.restoreAllMocks();
  });
});

describe('a file on the real disk', () => {
  it('is told from a copy of the same name', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'replaced-'));
    const fileSystem = new NodeFileSystem();
    const [log, path] = [join(directory, 'log'), join(directory, 'log', 'claim-1')];
    fileSystem.makeDirectory(log);
    const file = fileSystem.open(path, 'create');
    expect(fileSystem.isAt(file, path)).toBe(true);
    cpSync(log, join(directory, 'copy'), { recursive: true });
    renameSync(log, join(directory, 'old'));
    expect(fileSystem.isAt(file, path)).toBe(false);
    renameSync(join(directory, 'copy'), log);
    expect(fileSystem.isAt(file, path)).toBe(false);
    expect(fileSystem.isAt(file, join(directory, 'old', 'claim-1'))).toBe(true);
    file.close();
    await fileSystem.close();
    rmSync(directory, { recursive: true });
  });
});
