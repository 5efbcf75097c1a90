import {
  InMemoryStateStore,
  type JsonObject,
  type Position,
  type RecordedEvent,
  type StateSection,
  type StreamVersion,
} from '@holdfast/event-store';
import type { CommandContext } from '../model/command-context.js';
import type { Append } from '../model/command-model.js';
import { assertPlain } from './deep-frozen.js';

const NONE: readonly string[] = Object.freeze([]);
const NO_METADATA: JsonObject = Object.freeze({});

/** A state may be any JSON, null also; an entry of a section is an object. */
export interface Entry {
  readonly of: unknown;
}

/** What folding needs of a state. */
export interface Sections {
  section<Value extends object>(name: string): Section<Value>;
}

type Section<Value extends object> = Pick<StateSection<Value>, 'get' | 'set' | 'delete'>;

const GONE = 'gone';

/** On top of a state, which it leaves as it is. */
class Rehearsal implements Sections {
  private readonly written = new InMemoryStateStore();

  constructor(private readonly state: Sections) {}

  section<Value extends object>(name: string): Section<Value> {
    const above = this.written.section<Value | typeof GONE>(name);
    const below = this.state.section<Value>(name);
    return {
      get(key) {
        const found = above.get(key) ?? below.get(key);
        return found === GONE ? undefined : found;
      },
      set: (key, value) => {
        // A number that a fold has made of a field that was missing is a number here alone.
        assertPlain((value as Partial<Entry>).of, 'state');
        above.set(key, value);
      },
      delete: (key) => {
        above.set(key, GONE);
      },
    };
  }
}

/** Folds what a command would append as the log will, so that a fold that fails does so before the append. */
export function rehearse(
  appends: readonly Append[],
  { nowMillis: recordedAtMillis, commandId: id }: CommandContext,
  state: Sections,
  evolve: (event: RecordedEvent, state: Sections) => void,
): void {
  const rehearsal = new Rehearsal(state);
  for (const { stream, facts } of appends)
    for (const { type, data } of facts)
      evolve(
        {
          ...{ id, stream, type, tags: NONE, recordedAtMillis, data: data as JsonObject },
          // It has no place yet.
          ...{ position: 0 as Position, version: 0 as StreamVersion },
          ...{ schemaVersion: 1, metadata: NO_METADATA, endsCommit: false },
        },
        rehearsal,
      );
}
