import type { RecordedEvent } from '@holdfast/event-store';
import type { Fact } from '../model/command-model.js';
import { type Keyed, type Of, assertName } from './decider.js';
import type { WithPlain } from './plain.js';

/** A recorded event with the data of its type, and the id of the entity whose stream it is in. */
export type EntityEvent<Event extends Fact> = Omit<RecordedEvent, 'type' | 'data'> &
  Pick<Event, 'type' | 'data'> & { readonly id: string };

/**
 * What an event makes of one key: the new state, or a function of the one before. `undefined` takes the key away, so that it has the initial state again.
 */
export type LookupEntry<State> = readonly [
  key: string,
  state: State | undefined | ((before: State) => State | undefined),
];

/** A small fold of events of any entities, under keys that the events name, for decisions to read: a counter, a unique name. */
export interface LookupDefinition<State, Event extends Fact> extends Keyed<State> {
  /** The entries of an event, applied one after the other: `({ data }) => [[data.guest, (count) => count + 1]]`. Pure. */
  readonly on: {
    readonly [Type in Event['type']]?: (
      event: EntityEvent<Of<Event, Type>>,
    ) => readonly LookupEntry<State>[];
  };
}

export interface Lookup<State> extends Keyed<State> {
  readonly on: Readonly<Partial<Record<string, LookupStep>>>;
}

export type LookupStep = (event: never) => readonly LookupEntry<never>[];

export function lookup<State, Event extends Fact>(
  definition: LookupDefinition<State, Event> & WithPlain<State>,
): Lookup<State> {
  assertName(definition);
  return definition as LookupDefinition<State, Event> as Lookup<State>;
}
