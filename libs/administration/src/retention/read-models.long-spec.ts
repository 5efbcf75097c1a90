import { decider } from '@holdfast/commands';
import { EventStore, EventStoreModule, ProjectionsModule } from '@holdfast/nestjs';
import { feature, projection } from '@holdfast/nestjs/feature';
import { createLogger } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { OperationsModule } from '../operations.module.js';
import { SMALL_LOG } from '../testing/notes.js';

type WriteNote = { type: 'WriteNote'; note: string; text: string };
type NoteWritten = { type: 'NoteWritten'; data: { text: string } };
const note = decider<{ text: string }, WriteNote, NoteWritten>({
  name: 'note',
  initial: { text: '' },
  idOf: (command) => command.note,
  decide: { WriteNote: ({ text }) => ({ type: 'NoteWritten', data: { text } }) },
  evolve: { NoteWritten: (_before, { text }) => ({ text }) },
  keyless: ['WriteNote'],
});
/** It comes as far as the third event, and there it stays. */
const stuck = projection<NoteWritten>({
  name: 'stuck',
  version: 1,
  tables: ['CREATE TABLE kept (text TEXT)'],
  on: {
    NoteWritten: ({ id, data: { text } }, tables) => {
      if (id === 'note-3') throw new Error('cannot be put anywhere');
      tables.prepare('INSERT INTO kept VALUES (?)').run(text);
    },
  },
});

let root: string;
let app: INestApplication;
let url: string;

/** As a team would write it: nobody is told of anybody's consumers, unless `consumers` are given. */
async function start(consumers?: FeedConsumers): Promise<void> {
  @Module({
    imports: [
      EventStoreModule.forRoot({
        directory: root,
        wal: SMALL_LOG,
        onFatal: (error) => {
          throw error;
        },
      }),
      EventStoreModule.forFeature(feature({ deciders: [note], projections: [stuck] })),
      ProjectionsModule.forRoot(),
      OperationsModule.forRootAsync({
        inject: [EventStore],
        useFactory: ({ writer }: EventStore) => ({
          writer,
          service: { model: { schemas: [], evolve: () => undefined } },
          directories: {
            stateDirectory: join(root, 'state'),
            snapshotDirectory: join(root, 'snapshots'),
            readModelDirectory: join(root, 'read-models'),
          },
          admin: { host: '127.0.0.1', port: 0, access: { token: '', tokenFile: '' } },
          logger: createLogger({ service: 'notes', level: 'silent' }),
          retention: {
            policy: 'snapshots',
            ...{ livePositionsMin: 0, liveMinutesMin: 0, intervalSeconds: 3_600 },
          },
          ...(consumers && { consumers }),
        }),
      }),
    ],
  })
  class ApplicationModule {}
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
  app = await NestFactory.create(ApplicationModule, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  await app.init();
  url = (await app.get(OperationsModule).url()) ?? 'none';
}

async function jobOf(path: string): Promise<object> {
  const headers = { 'content-type': 'application/json' };
  const begun = await fetch(`${url}${path}`, { method: 'POST', headers, body: '{}' });
  for (;;) {
    const answer = await fetch(`${url}${begun.headers.get('location') ?? 'none'}`);
    const job = (await answer.json()) as { state: string };
    if (!['queued', 'running'].includes(job.state)) return job;
    await setTimeout(5);
  }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-read-models-'));
});
afterEach(async () => {
  await app.close();
  rmSync(root, { recursive: true });
});

it.each([
  ['nobody was told of its consumers', undefined],
  ['a feed has consumers of its own', new FeedConsumers()],
])('retention keeps what a read model that lags still needs, where %s', async (_, consumers) => {
  await start(consumers);
  const { writer } = app.get(EventStore);
  const text = 'x'.repeat(2_000);
  const write = async (first: number) => {
    for (let from = first; from < first + 30; from += 5)
      await Promise.all(
        [0, 1, 2, 3, 4].map((more) =>
          writer.execute(note.command('WriteNote', { note: `note-${from + more}`, text }), {
            actor: 'ann',
          }),
        ),
      );
    await jobOf('/admin/snapshots');
  };
  await write(1);
  await write(31);
  expect(writer.log.wal.segments().length).toBeGreaterThan(2);
  expect(await jobOf('/admin/retention/apply')).toMatchObject({
    state: 'succeeded',
    result: { below: 30, removal: { segments: [], pinnedBy: [{ name: 'projection:stuck' }] } },
  });
  expect(writer.log.wal.firstSequence).toBe(1);
  expect(writer.log.wal.floors.all().get('projection:stuck')).toBeLessThan(3);
});
