import { deepStrictEqual } from 'node:assert';
import {
  type JsonObject,
  type NewEvent,
  type Position,
  type RecordedEvent,
  type StreamVersion,
  Upcasters,
  plainCopy,
} from '@holdfast/event-store';
import { type CombinedParts, combined } from '../deciders/combined.js';
import type { AnyDecider, Decider, Elsewhere } from '../deciders/decider.js';
import type { CommandContext } from '../model/command-context.js';
import type { AnyCommand, Fact } from '../model/command-model.js';
import { CommandDecisions } from '../writer/command-decisions.js';
import { PlainStateStore } from './plain-state-store.js';

/** What a specification may depend on besides its decider: a feature, for one. */
export interface Beside extends Partial<Pick<CombinedParts, 'deciders' | 'lookups' | 'retired'>> {
  readonly context?: Partial<CommandContext>;
}

/** An event as an earlier program recorded it, before its schema was raised: it is brought up to date as the log does it. */
export interface Older<Event extends Fact> {
  readonly type: Event['type'];
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/**
 * Given events, when a command, then events or a refusal: for one entity, without a log. Decides and evolves as a writer does. Works with any test
 * runner: a failed expectation throws Node's `AssertionError`. `beside` may be the feature.
 */
export function specify<State, Command extends AnyCommand, Event extends Fact>(
  of: Decider<State, Command, Event>,
  id: string,
  beside: Beside = {},
) {
  return {
    given: (...events: readonly (Event | Older<Event> | Elsewhere)[]) => {
      const books = new Books(of, beside);
      for (const event of events)
        books.record(placed(event, of, id), 'schemaVersion' in event ? event : {});
      return {
        when: (command: Command): Expectations<Event> =>
          expectations(books.decide(command), of, id),
      };
    },
  };
}

export interface Expectations<Event extends Fact> {
  /** In one commit, in this order. */
  readonly thenEvents: (...events: readonly (Event | Elsewhere)[]) => void;
  /** Compares the parameters if given. */
  readonly thenRefused: (problem: string, parameters?: JsonObject) => void;
  /** The command changes nothing. */
  readonly thenUnchanged: () => void;
}

/** A fact with its stream. */
interface Placed {
  readonly stream: string;
  readonly fact: Fact;
}

/** What came of the command: facts, or why there are none. */
type Came =
  | readonly Placed[]
  | { readonly refused: string; readonly parameters: JsonObject }
  | { readonly malformed: string; readonly problem: string }
  | 'unchanged';

function expectations(came: Came, of: AnyDecider, id: string): Expectations<Fact> {
  return {
    thenEvents: (...events) =>
      deepStrictEqual(
        came,
        events.map((event) => placed(event, of, id)),
      ),
    thenRefused: (problem, parameters) => {
      const found = typeof came === 'object' && 'parameters' in came ? came.parameters : {};
      deepStrictEqual(came, { refused: problem, parameters: parameters ?? found });
    },
    thenUnchanged: () => deepStrictEqual(came, 'unchanged'),
  };
}

/** A log and its state, in memory. */
class Books {
  private readonly model;
  private readonly decisions;
  private readonly upcasters;
  private readonly state = new PlainStateStore();
  private readonly context: Partial<CommandContext>;
  private readonly versions = new Map<string, number>();
  private position = 0;

  constructor(of: AnyDecider, beside: Beside) {
    const { deciders = [], lookups = [], retired = [], context = {} } = beside;
    this.context = context;
    this.model = combined({ deciders: [...new Set([of, ...deciders])], lookups, retired });
    this.upcasters = new Upcasters(this.model.schemas);
    this.decisions = new CommandDecisions(this.model, {
      state: this.state,
      admittedAt: () => undefined,
      lastTagged: () => undefined,
      hasTagBeginning: () => false,
    });
  }

  record({ stream, fact }: Placed, event: Partial<Pick<NewEvent, 'id' | 'schemaVersion'>>): void {
    const version = (this.versions.get(stream) ?? 0) + 1;
    this.versions.set(stream, version);
    this.position += 1;
    const schema = this.model.schemas.find(({ type }) => type === fact.type);
    const recorded: RecordedEvent = {
      position: this.position as Position,
      stream,
      version: version as StreamVersion,
      id: event.id ?? `00000000-0000-7000-8000-${String(this.position).padStart(12, '0')}`,
      type: fact.type,
      schemaVersion: event.schemaVersion ?? schema?.schemaVersion ?? 1,
      recordedAtMillis: this.context.nowMillis ?? 0,
      tags: [],
      metadata: {},
      data: fact.data as JsonObject,
      endsCommit: true,
    };
    this.model.evolve(this.upcasters.upcast(recorded), this.state);
  }

  decide(command: AnyCommand): Came {
    const decision = this.decisions.decide(command, {
      nowMillis: 0,
      commandId: '00000000-0000-7000-8000-ffffffff0000',
      actor: 'tester',
      idempotency: { key: 'key', bodyHash: 'hash' },
      ...this.context,
    });
    switch (decision.kind) {
      case 'accepted':
        return this.appended(decision.appends);
      case 'refused': {
        const { problem, parameters } = decision.rejection;
        return { refused: problem, parameters };
      }
      case 'malformed':
        return { malformed: decision.field, problem: decision.problem };
      default:
        return 'unchanged';
    }
  }

  /** Evolves what was decided too: a state that is not plain is found by the command that makes it. */
  private appended(appends: readonly { stream: string; events: readonly NewEvent[] }[]): Came {
    const facts = appends.flatMap(({ stream, events }) =>
      events.map((event) => ({ stream, fact: { type: event.type, data: event.data }, event })),
    );
    if (facts[0]?.fact.type === 'CommandUnchanged') return 'unchanged';
    for (const { event, ...fact } of facts) this.record(fact, event);
    return facts.map(({ stream, fact }) => ({ stream, fact }));
  }
}

/** With the data that the log would have. */
function placed(event: Fact | Elsewhere, of: AnyDecider, id: string): Placed {
  const [stream, { type, data }] =
    'elsewhere' in event
      ? [`${event.elsewhere.name}/${event.id}`, event.fact]
      : [`${of.name}/${id}`, event];
  return { stream, fact: { type, data: plainCopy(data as JsonObject, 'data') } };
}
