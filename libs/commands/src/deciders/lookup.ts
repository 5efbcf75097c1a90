import type { Fact } from '../model/command-model.js';
import { type Keyed, type Of, assertName } from './decider.js';
import type { WithPlain } from './plain.js';

/** A small fold of events of any entities, under keys that the events name, for decisions to read: a counter, a unique name. */
export interface LookupDefinition<State, Event extends Fact> extends Keyed<State> {
  readonly on: {
    readonly [Type in Event['type']]?: {
      readonly key: (data: Of<Event, Type>['data']) => string;
      readonly evolve: (state: State, data: Of<Event, Type>['data']) => State;
    };
  };
}

export interface Lookup<State> extends Keyed<State> {
  readonly on: Readonly<Partial<Record<string, LookupStep>>>;
}

export interface LookupStep {
  readonly key: (data: never) => string;
  readonly evolve: (state: never, data: never) => unknown;
}

export function lookup<State, Event extends Fact>(
  definition: LookupDefinition<State, Event> & WithPlain<State>,
): Lookup<State> {
  assertName(definition);
  return definition;
}
