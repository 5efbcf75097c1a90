import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BEFORE_FIRST, Wal } from '@holdfast/wal';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../testing/run-cli.js';

/** No empty frame of the stopped writer comes between. */
const LIMITS = {
  create: true,
  frameBytesMax: 16 * 1024,
  segmentBytes: 32 * 1024,
  idleMillis: 60_000,
};

describe('salvaging on the command line', () => {
  let directory: string;
  let log: string;
  let target: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cli-salvage-'));
    [log, target] = [join(directory, 'log'), join(directory, 'target')];
    const first = await Wal.open(log, LIMITS);
    await first.append([Buffer.from('one')]).durable;
    const second = await Wal.open(log, { ...LIMITS, takeover: true });
    // Behind the footer, which is written in the background.
    await second.maintenance.removeSegments({ below: BEFORE_FIRST });
    await expect(first.append([Buffer.from('two')]).durable).rejects.toMatchObject({
      code: 'WAL_FENCED',
    });
    await second.append([Buffer.from('TWO')]).durable;
    await Promise.all([first.close(), second.close()]);
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('names what nobody was told of, and ends with 0', async () => {
    const { exit, output } = await runCli('wal', 'salvage', log, target);
    expect(output).toContain('LEFT sequences 2 to 2 of another history, never acknowledged');
    expect(exit).toBe(0);
  });

  it('ends with 1 when the end of the log is gone', async () => {
    const wal = await Wal.open(log, LIMITS);
    await wal.append([Buffer.from('three')]).durable;
    const { path } = wal.segments().at(-1) ?? { path: '' };
    await wal.close();
    rmSync(path);
    const { exit, output } = await runCli('wal', 'salvage', log, target);
    expect(output).toContain('GONE sequences 3 to 3');
    expect(exit).toBe(1);
  });
});
