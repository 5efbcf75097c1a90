import { combined, decider, openCommandWriter } from '@holdfast/commands';
import { LogOperations, backUp, restoreData, verifyLog } from '@holdfast/operations';
import { resolve } from 'node:path';

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

const writer = await openCommandWriter('data/wal', model, { wal: { create: true } });
await writer.execute(note.command('WriteNote', { note: 'a', text: 'hello' }), { actor: 'ann' });

// Floors and retention run beside commands; long work is a job.
const operations = new LogOperations({
  log: writer.log,
  logger: { info: () => undefined, warn: console.warn, error: console.error },
  floors: { behindEventsMax: 100_000, behindBytesMax: 0 },
  retention: { policy: 'keep-all', livePositionsMin: 0, liveMinutesMin: 0, intervalSeconds: 60 },
});
const { jobs } = operations;
const apartFrom = [resolve('data')];
for (const { id } of [
  jobs.start('verify', 'checks', (context) => verifyLog(writer.log.wal, context)),
  jobs.start('backup', 'changes', (context) =>
    backUp(writer.log, resolve('backup'), { apartFrom, replace: false }, context),
  ),
]) {
  const ended = await jobs.ended(id);
  console.log(ended?.kind, ended?.state);
}
await operations.stop();
await writer.close();

// Offline: a new data directory, opened as the service opens it, and only then given its name.
const context = { signal: new AbortController().signal, progress: () => undefined };
const restored = await restoreData(
  {
    ...{ backup: 'backup', target: 'restored' },
    open: (directory, options) => openCommandWriter(directory, model, options),
  },
  context,
);
console.log('restored up to', restored.lastSequence, 'with', restored.state.entries, 'entries');
