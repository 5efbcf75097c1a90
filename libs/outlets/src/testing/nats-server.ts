import { describe } from '@jest/globals';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Debian's packages put it where only root looks. */
const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find(
  (program) => spawnSync(program, ['--version']).status === 0,
);
const TRIES = 500;

/** Skipped by name where there is no `nats-server` (package `nats-server` of Debian), unless `HOLDFAST_REQUIRE_ALL=1` says that a skip is a failure. */
export const describeWithNats =
  PROGRAM === undefined && process.env['HOLDFAST_REQUIRE_ALL'] !== '1' ? describe.skip : describe;

/** A server of its own on a free port of this machine, with its own directory. */
export class NatsServer {
  private readonly directory = mkdtempSync(join(tmpdir(), 'nats-'));
  private child: ChildProcess | undefined;
  private port = 0;

  /** Further lines of its configuration. */
  static async start(settings = 'jetstream {}'): Promise<NatsServer> {
    const server = new NatsServer();
    server.port = await freePort();
    await server.run(settings);
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async run(settings = 'jetstream {}'): Promise<void> {
    const store = join(this.directory, 'store');
    mkdirSync(store, { recursive: true });
    const file = join(this.directory, 'nats.conf');
    const own = settings.replace(
      'jetstream {',
      `jetstream { store_dir: ${JSON.stringify(store)}\n`,
    );
    writeFileSync(file, `listen: "127.0.0.1:${this.port}"\n${own}\n`);
    if (PROGRAM === undefined) throw new Error('there is no nats-server');
    this.child = spawn(PROGRAM, ['-c', file], { stdio: 'ignore' });
    await this.listening();
  }

  /** As a machine that stops dead, but for its page cache. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It takes what comes, and answers nothing. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Everything that was stored is gone. */
  forget(): void {
    rmSync(join(this.directory, 'store'), { recursive: true, force: true });
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async listening(): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await answers(this.port)) return;
      await sleep(10);
    }
    throw new Error('nats-server does not listen');
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

/** The first line of a server that is ready is its greeting. */
async function answers(port: number): Promise<boolean> {
  const socket = dial(port, '127.0.0.1');
  const said = await Promise.race([
    once(socket, 'data').then(([greeting]) => String(greeting).startsWith('INFO')),
    sleep(1_000, false),
  ]).catch(() => false);
  socket.destroy();
  return said;
}
