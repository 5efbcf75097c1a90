import {
  type CommandWriter,
  type CommandWriterOptions,
  combined,
  decider,
  openCommandWriter,
} from '@holdfast/commands';
import type {
  CompactionPolicy,
  DataRestoreReport,
  OperatedService,
  RestoreOptions,
  WorkContext,
} from '@holdfast/operations';
import { restoreData } from '@holdfast/operations';

/*
 * A service that is no ledger, with everything that can be operated: notes, of which each is written again and again.
 */

interface WriteNote {
  readonly type: 'WriteNote';
  readonly note: string;
  readonly text: string;
}

interface NoteWritten {
  readonly type: 'NoteWritten';
  readonly data: { readonly text: string };
}

const note = decider<{ readonly text: string }, WriteNote, NoteWritten>({
  name: 'note',
  initial: { text: '' },
  idOf: (command) => command.note,
  decide: { WriteNote: ({ text }) => ({ type: 'NoteWritten', data: { text } }) },
  evolve: { NoteWritten: (_before, { text }) => ({ text }) },
  keyless: ['WriteNote'],
});

const model = combined({ deciders: [note] });

const compaction: CompactionPolicy<'supersededTexts'> = {
  reasons: ['supersededTexts'],
  summary: 'Rewrite sealed segments without texts that were written over',
  description: 'The newest text of a note always stays. A dry run counts.',
  dispensableAs: ({ stream, version }, { isFollowed }) =>
    isFollowed(stream, version) ? 'supersededTexts' : undefined,
};

/** What the care of a log must know of notes. */
export const NOTES = { model, compaction } satisfies OperatedService;

/** Small segments, so that a test has several. */
export const SMALL_LOG = {
  create: true,
  segmentBytes: 32 * 1024,
  frameBytesMax: 16 * 1024,
} as const;

export type NotesWriter = CommandWriter<WriteNote, object>;

export function openNotes(
  walDirectory: string,
  options: CommandWriterOptions = {},
): Promise<NotesWriter> {
  return openCommandWriter(walDirectory, model, options) as Promise<NotesWriter>;
}

export async function writeNote(writer: NotesWriter, name: string, text = ''): Promise<void> {
  await writer.execute({ type: 'WriteNote', note: name, text }, { actor: 'test' });
}

/** A restore of what was written, opened as notes are. */
export function restoreNotes(
  options: Omit<RestoreOptions, 'open'>,
  context: WorkContext,
): Promise<DataRestoreReport> {
  return restoreData({ ...options, open: openNotes }, context);
}
