import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from '../support/free-ports.js';

/*
 * The second service, as a team outside of this repository would have it: in an empty directory, from the packages as they are published, with nothing of this
 * project around it. `npm run test:packages` packs them first.
 */
const LIBRARIES = ['kernel', 'wal', 'event-store', 'commands', 'projections', 'nestjs'];

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
  exports: Record<string, unknown>;
}

const manifestAt = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

let outside: string;
const started: Service[] = [];

beforeAll(() => {
  outside = mkdtempSync(join(tmpdir(), 'holdfast-outside-'));
  cpSync('examples/bookings', outside, {
    recursive: true,
    filter: (path) => !['node_modules', 'dist'].includes(basename(path)),
  });
  const manifest = manifestAt(join(outside, 'package.json'));
  const { version } = manifestAt('package.json');
  for (const name of LIBRARIES)
    manifest.dependencies[`@holdfast/${name}`] =
      `file:${resolve(`dist/packages/holdfast-${name}-${version}.tgz`)}`;
  writeFileSync(join(outside, 'package.json'), JSON.stringify(manifest));
  run('npm', 'install', '--no-audit', '--no-fund');
}, 300_000);

afterAll(async () => {
  await Promise.all(started.map((service) => service.end('SIGKILL')));
  rmSync(outside, { recursive: true, force: true });
});

/** Runs a command there, as its user would; throws with what it said when it fails. */
function run(command: string, ...parameters: string[]): string {
  try {
    return execFileSync(command, parameters, { cwd: outside, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${parameters.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

describe('bookings, outside of the repository', () => {
  it('has one @nestjs/core', () => {
    const paths = run('npm', 'ls', '--all', '--parseable', '@nestjs/core').trim().split('\n');
    expect(new Set(paths.filter((path) => path.endsWith('/@nestjs/core'))).size).toBe(1);
  });

  it('compiles, and its tests pass', () => {
    run('npx', 'tsc');
    run('npm', 'test');
  }, 180_000);

  it('does not compile what the negative examples say', () => {
    // Each line with @ts-expect-error is an error, or tsc says so.
    const negative = readFileSync(join(outside, 'src', 'does-not-compile.ts'), 'utf8');
    expect(negative.match(/@ts-expect-error/g)?.length).toBeGreaterThanOrEqual(4);
    writeFileSync(
      join(outside, 'src', 'does-not-compile.ts'),
      negative.replaceAll('@ts-expect-error', ''),
    );
    try {
      expect(() => run('npx', 'tsc', '--noEmit')).toThrow(/error TS/);
    } finally {
      writeFileSync(join(outside, 'src', 'does-not-compile.ts'), negative);
    }
  });

  it('gets each entry of each package by require and by import', () => {
    const entries = LIBRARIES.flatMap((name) =>
      Object.keys(manifestAt(`libs/${name}/package.json`).exports)
        // gRPC and PostgreSQL are for who has installed what they need.
        .filter((entry) => !/package\.json|grpc|postgres/.test(entry))
        .map((entry) => join(`@holdfast/${name}`, entry)),
    );
    expect(entries.length).toBeGreaterThan(LIBRARIES.length);
    const required = entries.map((entry) => `require('${entry}')`).join(';');
    run('node', '--input-type=commonjs', '--eval', required);
    const imported = entries.map((entry) => `await import('${entry}')`).join(';');
    run('node', '--input-type=module', '--eval', imported);
  });

  it('gets the read models in PostgreSQL once their client is installed', () => {
    const { dependencies } = manifestAt('package.json');
    const load = "require('@holdfast/projections/postgres').PostgresReadModelStore.name";
    const loaded = () => run('node', '--print', load).trim();
    expect(loaded).toThrow("Cannot find package 'pg'");
    run('npm', 'install', '--no-save', '--no-audit', '--no-fund', `pg@${dependencies['pg']}`);
    expect(loaded()).toBe('PostgresReadModelStore');
  });
});

class Service {
  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
    readonly exited: Promise<number | null>,
  ) {}

  static async start(port: number, environment: Record<string, string> = {}): Promise<Service> {
    const child = spawn('node', ['dist/main.js'], {
      cwd: outside,
      env: { ...process.env, PORT: String(port), ...environment },
      stdio: 'ignore',
    });
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    const service = new Service(child, `http://127.0.0.1:${port}`, exited);
    started.push(service);
    while (child.exitCode === null && !(await service.isReady())) await setTimeout(20);
    return service;
  }

  private isReady(): Promise<boolean> {
    return fetch(`${this.url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  async send(method: string, path: string, key: string, body?: object) {
    const response = await fetch(`${this.url}/${path}`, {
      method,
      headers: { 'idempotency-key': key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      position: response.headers.get('holdfast-position') ?? '',
      replayed: response.headers.get('idempotency-replayed'),
      text: await response.text(),
    };
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}/${path}`)).json();
  }

  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

describe('bookings, running', () => {
  const booking = { day: '2026-12-01', guest: 'ann', people: 2 };

  it.each([{}, { IN_THREAD: '1' }])(
    'answers the same bytes over a kill -9, reads what it wrote, and ends with 0: %j',
    async (environment) => {
      const [port = 0] = await freePorts(1);
      const data = mkdtempSync(join(outside, 'data-'));
      const start = () => Service.start(port, { DATA: data, ...environment });
      let service = await start();
      expect((await service.send('PUT', 'rooms/blue', 'a', { capacity: 4 })).status).toBe(200);
      const first = await service.send('POST', 'rooms/blue/bookings', 'b', booking);
      expect(first.status).toBe(201);
      const again = await service.send('POST', 'rooms/blue/bookings', 'b', booking);
      expect(again).toMatchObject({ text: first.text, replayed: 'true' });
      const refused = await service.send('POST', 'rooms/blue/bookings', 'c', booking);
      expect(refused).toMatchObject({
        status: 409,
        type: expect.stringMatching(/^application\/problem\+json/),
      });

      expect(await service.end('SIGKILL')).toBeNull();
      service = await start();
      for (const [key, before] of Object.entries({ b: first, c: refused })) {
        const after = await service.send('POST', 'rooms/blue/bookings', key, booking);
        expect(after).toEqual({ ...before, replayed: 'true' });
      }
      const other = await service.send('POST', 'rooms/blue/bookings', 'b', {
        ...booking,
        people: 3,
      });
      expect(other.status).toBe(422);
      const cancelled = await service.send(
        'DELETE',
        `rooms/blue/bookings/${booking.day}/${booking.guest}`,
        'd',
      );
      expect(cancelled.status).toBe(200);
      expect(
        await service.get(`calendar/${booking.day}?minPosition=${cancelled.position}`),
      ).toEqual([]);
      expect(await service.end('SIGTERM')).toBe(0);
    },
    60_000,
  );

  it('of an older version refuses the log of a newer one, with exit code 78', async () => {
    const [port = 0] = await freePorts(1);
    const data = mkdtempSync(join(outside, 'data-'));
    const service = await Service.start(port, { DATA: data });
    await service.send('PUT', 'rooms/blue', 'a', { capacity: 4 });
    await service.send('POST', 'rooms/blue/bookings', 'b', booking);
    expect(await service.end('SIGTERM')).toBe(0);
    const [file = ''] = globSync('dist/room.js', { cwd: outside });
    const newer = readFileSync(join(outside, file), 'utf8');
    const older = newer.replace(/^.*schemas:.*$/m, '');
    expect(older).not.toBe(newer);
    writeFileSync(join(outside, file), older);
    try {
      expect(await (await Service.start(port, { DATA: data })).exited).toBe(78);
    } finally {
      writeFileSync(join(outside, file), newer);
    }
  });
});
