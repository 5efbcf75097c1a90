import { hash } from 'node:crypto';
import type {
  JsonObject,
  Position,
  RecordedEvent,
  StreamAppend,
  StreamVersion,
  TaggedEvent,
} from '@holdfast/event-store';
import { assert } from '@holdfast/kernel';
import { type CommandContext, CommandDecisions, type Decision } from '@holdfast/commands';
import type { Answer } from '../answer.js';
import { evolve } from '../evolve.js';
import type { LedgerCommand } from '../ledger-command.js';
import { ledgerModel } from '../ledger-model.js';
import type { LedgerView } from '../ledger-view.js';
import type { RecordedLedgerEvent } from '../ledger.events.js';
import { ledgerEventOf } from '../recorded-event.js';
import { FrozenStateStore } from './frozen-state-store.js';

export const TEST_START_MILLIS = Date.UTC(2026, 10, 23, 10);

/** What a test says of a command's circumstances; all else is made up, and another key for each command. */
export type Circumstances = Partial<Omit<CommandContext, 'idempotency'>> & {
  /** Null: without an idempotency key. */
  readonly key?: string | null;
  readonly bodyHash?: string;
};

/**
 * A ledger service without disk or network: decides, appends to an array, evolves. Its log is as strict as the real one:
 * gapless positions, expected stream versions, and events that survive as JSON only.
 */
export class TestBooks {
  readonly store: FrozenStateStore;
  readonly decisions: CommandDecisions<LedgerCommand, Answer, LedgerView>;
  readonly events: RecordedEvent[];
  nowMillis: number;
  private readonly streamVersions: Map<string, number>;
  private commands: number;

  /** Empty, or going on from where another is now without changing it. Of the events, those in `dropped` cannot be read any more. */
  constructor(
    copyOf?: TestBooks,
    store = new FrozenStateStore(copyOf?.store),
    private readonly dropped: ReadonlySet<RecordedEvent> = new Set(),
  ) {
    this.store = store;
    this.decisions = new CommandDecisions(ledgerModel, {
      state: this.store,
      lastTagged: (tag) => this.lastTagged(tag),
      admittedAt: (position) => this.events[position - 1],
      hasTagBeginning: (prefix) =>
        this.events.some(({ tags }) => tags.some((tag) => tag.startsWith(prefix))),
    });
    this.events = [...(copyOf?.events ?? [])];
    this.nowMillis = copyOf?.nowMillis ?? TEST_START_MILLIS;
    this.streamVersions = new Map(copyOf?.streamVersions);
    this.commands = copyOf?.commands ?? 0;
  }

  /** The same books as a replay makes them of a log without these events, which keeps the places of all others. */
  without(dropped: ReadonlySet<RecordedEvent>): TestBooks {
    const store = new FrozenStateStore();
    for (const event of this.events) if (!dropped.has(event)) evolve(event, store);
    return new TestBooks(this, store, dropped);
  }

  /** The same books, when these events can no longer be read. */
  withoutReading(dropped: ReadonlySet<RecordedEvent>): TestBooks {
    return new TestBooks(this, undefined, dropped);
  }

  get view(): LedgerView {
    return this.decisions.view;
  }

  decide(command: LedgerCommand, context: CommandContext): Decision {
    return this.decisions.decide(command, context);
  }

  execute(command: LedgerCommand, circumstances: Circumstances = {}): Decision {
    const context = this.context(command, circumstances);
    const decision = this.decide(command, context);
    if (context.dryRun === true) return decision;
    if (decision.kind === 'accepted' || decision.kind === 'refused')
      for (const append of decision.appends ?? []) this.append(append);
    return decision;
  }

  /** Executes commands that the test takes for granted. */
  given(...commands: readonly LedgerCommand[]): this {
    for (const command of commands) {
      const decision = this.execute(command);
      assert(decision.kind === 'accepted', `given ${JSON.stringify([command, decision])}`);
    }
    return this;
  }

  context(command: unknown, circumstances: Circumstances = {}): CommandContext {
    this.commands += 1;
    const {
      key = `key-${this.commands}`,
      bodyHash = hash('sha256', JSON.stringify(command)),
      ...given
    } = circumstances;
    return {
      nowMillis: this.nowMillis,
      commandId: commandId(this.commands),
      actor: 'tester',
      idempotency: key === null ? undefined : { key, bodyHash },
      ...given,
    };
  }

  eventAt(position: Position): RecordedLedgerEvent {
    const event = this.events[position - 1];
    assert(event !== undefined, `an event at ${position}`);
    return ledgerEventOf(event);
  }

  last(): RecordedLedgerEvent {
    return this.eventAt(this.events.length as Position);
  }

  private lastTagged(tag: string): TaggedEvent | undefined {
    const event = this.events.findLast(
      (candidate) => candidate.tags.includes(tag) && !this.dropped.has(candidate),
    );
    return event && { position: event.position, event };
  }

  private append({ stream, expectedVersion, events: [event] }: StreamAppend): void {
    assert(event !== undefined, 'a command makes an event');
    const version = this.streamVersions.get(stream) ?? 0;
    const expected = expectedVersion === 'no-stream' ? 0 : expectedVersion;
    assert(expected === 'any' || expected === version, `${stream} is at ${version}`);
    const { id, type, schemaVersion, data, tags = [], metadata = {} } = event;
    const recorded: RecordedEvent = {
      position: (this.events.length + 1) as Position,
      stream,
      version: (version + 1) as StreamVersion,
      id,
      type,
      schemaVersion,
      recordedAtMillis: this.nowMillis,
      tags,
      metadata: asJson(metadata),
      data: asJson(data),
      endsCommit: true,
    };
    this.streamVersions.set(stream, version + 1);
    this.events.push(recorded);
    evolve(recorded, this.store);
  }
}

/** The n-th command's id: a UUID that says which it was. */
export function commandId(number: number): string {
  return `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

function asJson(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
