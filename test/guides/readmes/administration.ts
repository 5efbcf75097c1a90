import { OperationsModule } from '@holdfast/administration';
import { combined, decider, openCommandWriter } from '@holdfast/commands';
import { createLogger } from '@holdfast/platform';
import { Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

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
const model = combined({ deciders: [note] });
const directories = {
  stateDirectory: 'data/state',
  snapshotDirectory: 'data/snapshots',
  readModelDirectory: 'data/read-models',
};
const writer = await openCommandWriter('data/wal', model, {
  wal: { create: true },
  state: { directory: directories.stateDirectory, snapshotDirectory: 'data/snapshots' },
});

@Module({
  imports: [
    OperationsModule.forRoot({
      ...{ writer, service: { model }, directories },
      admin: { host: '127.0.0.1', port: 0, access: { token: '', tokenFile: '' } },
      logger: createLogger({ service: 'notes', level: 'silent' }),
    }),
  ],
})
class NotesModule {}

Logger.overrideLogger(false);
const application = await NestFactory.createApplicationContext(NotesModule);
await writer.execute(note.command('WriteNote', { note: 'a', text: 'hello' }), { actor: 'ann' });
const url = (await application.get(OperationsModule).url()) ?? '';
for (const path of ['/health/ready', '/admin/state', '/admin/jobs']) {
  const answer = await fetch(`${url}${path}`);
  console.log(path, answer.status, Object.keys((await answer.json()) as object).join(' '));
}
await application.close();
await writer.close();
