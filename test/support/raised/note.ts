import { decider } from '@holdfast/commands';
import { type Feature, feature, projection } from '@holdfast/nestjs/feature';

type WriteNote = { type: 'WriteNote'; note: string; text: string };
export type NoteWritten = { type: 'NoteWritten'; data: { text: string } };

export const note = decider<{ text: string }, WriteNote, NoteWritten>({
  name: 'note',
  initial: { text: '' },
  idOf: (command) => command.note,
  decide: { WriteNote: ({ text }) => ({ type: 'NoteWritten', data: { text } }) },
  evolve: { NoteWritten: (_before, { text }) => ({ text }) },
  keyless: ['WriteNote'],
});

/** What is listed of a note: its text in version 1, and how long that is in version 2. */
export function notesOf(version: 1 | 2, url: string): Feature {
  const [column, made] = version === 1 ? ['text TEXT', '?'] : ['characters INTEGER', 'length(?)'];
  const list = projection<NoteWritten>({
    ...{ name: 'list', version },
    tables: [`CREATE TABLE note (id TEXT PRIMARY KEY, ${column})`],
    on: {
      NoteWritten: ({ id, data }, tables) =>
        tables.prepare(`INSERT OR REPLACE INTO note VALUES (?, ${made})`).run(id, data.text),
    },
  });
  return feature({ deciders: [note], projections: [list], url });
}
