import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AdminApi } from '../../support/admin-api.js';
import { Child } from '../../support/child.js';
import { freePorts } from '../../support/free-ports.js';

/*
 * The steps of docs/guides/projections.md, on built programs: a service of one's own whose projection `list` is raised from version 1 to 2, and back.
 */
const TEST_MILLIS_MAX = 600_000;

interface Tables {
  readonly generation: number;
  readonly version: number;
  readonly state: string;
  readonly position: number;
  readonly owner?: string;
}

let directory: string;
let port: string;
let adminPort: string;
let admin: AdminApi;
const children: Child[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-raised-'));
  [port = '', adminPort = ''] = (await freePorts(2)).map(String);
  admin = new AdminApi(`http://127.0.0.1:${adminPort}`);
});
afterAll(async () => {
  for (const child of children) if (child.exit === undefined) await child.end('SIGKILL');
  rmSync(directory, { recursive: true });
});

function run(script: 'service' | 'worker', version: number, ...more: string[]): Child {
  const child = new Child(`${script} ${version}`, `dist/test/support/raised/${script}.js`, {
    ...{ cwd: directory, arguments: [String(version), join(directory, 'data'), ...more] },
  });
  children.push(child);
  return child;
}

async function serve(version: number): Promise<Child> {
  const child = run('service', version, port, adminPort);
  await until(async () => {
    if (child.exit !== undefined) throw new Error(child.output);
    return (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok === true;
  });
  return child;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setTimeout(50);
}

async function write(note: string, text: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/notes/${note}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
  expect(answer.status).toBeLessThan(300);
}

const read = async (note: string): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${port}/notes/${note}`)).json();

async function tables(): Promise<readonly Tables[]> {
  const { body } = await admin.get('/admin/projections');
  return (body['items'] as readonly { generations: Tables[] }[])[0]!.generations;
}

const isLive = async (version: number, position: number): Promise<boolean> =>
  (await tables()).some(
    (one) => one.version === version && one.state === 'live' && one.position >= position,
  );

it(
  'a version is raised without an outage, and taken back',
  async () => {
    const one = await serve(1);
    for (let note = 1; note <= 20; note += 1) await write(`n${note}`, 'x'.repeat(note));
    await until(() => isLive(1, 20));

    // 1. A worker of the new version, beside the service of the old one, whose queries and commands go on.
    const worker = run('worker', 2);
    // 2. Until its tables are live.
    let note = 20;
    while (!(await isLive(2, note))) {
      note += 1;
      await write(`n${note}`, 'xx');
      expect(await read('n7')).toEqual({ id: 'n7', text: 'xxxxxxx' });
      await setTimeout(200);
    }
    expect((await tables()).map(({ version, state }) => [version, state])).toEqual([
      [1, 'live'],
      [2, 'live'],
    ]);

    // 3. The new program takes the place of the old one: its first query finds everything.
    expect(await one.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const two = await serve(2);
    expect([await read('n7'), await read(`n${note}`)]).toEqual([
      { id: 'n7', characters: 7 },
      { id: `n${note}`, characters: note === 20 ? 20 : 2 },
    ]);
    // 4. The worker ends, and the service keeps its tables up itself.
    expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await write('after', 'xyz');
    await until(() => isLive(2, note + 1));

    // Back: the old tables are there, and catch up.
    expect(await two.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const back = await serve(1);
    await until(() => isLive(1, note + 1));
    expect(await read('after')).toEqual({ id: 'after', text: 'xyz' });
    expect(await back.end('SIGTERM')).toEqual({ code: 0, signal: null });

    // 5. For good: the old tables are dropped.
    await serve(2);
    const old = (await tables()).find(({ version }) => version === 1)!;
    const path = `/admin/projections/list/generations/${old.generation}/drop`;
    expect((await admin.post(path, { confirm: 'list' })).status).toBe(200);
    expect((await tables()).map(({ version }) => version)).toEqual([2]);
    // And whenever they are in doubt, the new ones are made anew.
    expect(await admin.work('/admin/projections/list/rebuild')).toMatchObject({
      state: 'succeeded',
      result: { projection: 'list', version: 2, position: note + 1 },
    });
    expect(await read('after')).toEqual({ id: 'after', characters: 3 });
  },
  TEST_MILLIS_MAX,
);
