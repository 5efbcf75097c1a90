import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith } from '../../crash/real/requirements.js';
import { bareEnvironment } from '../../support/bare-environment.js';
import type { Application } from '../../support/services.js';
import { inRepository } from '../../support/repository.js';
import { runs } from '../../support/runs.js';

/** Root may write anywhere. */
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;
/** What is unmounted elsewhere is unmounted here as well: a copy would keep a file system alive whose power a test has cut. */
const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'slave'] as const;

let directory: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-unusable-'));
  chmodSync(directory, 0o755);
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** A start on this data directory, which must end by itself. */
/** Ports are looked at first, and a service of this machine may have the usual ones. */
const ANY_PORT = {
  HOLDFAST_HTTP_PORT: '0',
  HOLDFAST_COMMAND_HTTP_PORT: '0',
  HOLDFAST_FEED_PORT: '0',
  HOLDFAST_PROJECTION_HTTP_PORT: '0',
  HOLDFAST_ADMIN_PORT: '0',
};

async function start(application: Application, data: string, by: readonly string[] = []) {
  const main = inRepository(`dist/apps/${application}/src/main.js`);
  const [command = process.execPath, ...line] = by.concat(process.execPath, main);
  child = spawn(command, line, {
    env: { ...bareEnvironment(), ...ANY_PORT, HOLDFAST_DATA_DIRECTORY: data },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout!.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const refused = { code: 78, output: expect.stringContaining('DATA_DIRECTORY_UNUSABLE') };

describe('a start on data that cannot be used ends with 78, and changes nothing', () => {
  it.each(['command-service', 'query-service'] as const)('a file, by the %s', async (name) => {
    writeFileSync(join(directory, 'data'), 'mine');
    expect(await start(name, join(directory, 'data'))).toEqual(refused);
    expect(readdirSync(directory)).toEqual(['data']);
  });
});

describeWith(
  'setpriv',
  () => runs(...NOBODY, 'true'),
  'a start without permission',
  () => {
    it.each(['holdfast', 'projection-worker'] as const)('ends with 78, of %s', async (name) => {
      mkdirSync(join(directory, 'data'));
      expect(await start(name, join(directory, 'data'), NOBODY)).toEqual(refused);
      expect(readdirSync(join(directory, 'data'))).toEqual([]);
    });

    it('ends with 78 when only a file of the log belongs to somebody else', async () => {
      const wal = join(directory, 'data', 'wal');
      mkdirSync(wal, { recursive: true });
      chmodSync(join(directory, 'data'), 0o777);
      chmodSync(wal, 0o777);
      writeFileSync(join(wal, 'LOCK'), '', { mode: 0o600 });
      expect(await start('command-service', join(directory, 'data'), NOBODY)).toEqual(refused);
    });
  },
);

describeWith(
  'unshare --mount',
  () => runs(...OWN_MOUNTS, 'true'),
  'a start on a mount',
  () => {
    it('that is read-only ends with 78', async () => {
      const mounted = `mount -t tmpfs -o ro tmpfs '${directory}' && exec "$@"`;
      const by = [...OWN_MOUNTS, 'sh', '-c', mounted, 'sh'];
      expect(await start('command-service', join(directory, 'data'), by)).toEqual(refused);
    });
  },
);
