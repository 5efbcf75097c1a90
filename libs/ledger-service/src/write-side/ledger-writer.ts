import { type CommandContext, newUuidV7 } from '@holdfast/commands';
import {
  type CheckpointedStateOptions,
  type ClockBounds,
  type Position,
  type RecordedEvent,
  type ReplayProgress,
  Upcasters,
  WalEventLog,
} from '@holdfast/event-store';
import { type CodedError, type MonotonicClock, assert, defined, errorCode } from '@holdfast/kernel';
import {
  type Answer,
  type Answerable,
  type CommandKey,
  type Decision,
  LEDGER_STATE,
  type LedgerAppend,
  type LedgerCommand,
  type LedgerCommandType,
  LedgerView,
  type Recognition,
  answerOf,
  decide,
  evolve,
  ledgerEventOf,
  ledgerEventSchemas,
  outcomeOf,
  recognise,
} from '@holdfast/ledger';
import type { CommitFigures, WalOptions } from '@holdfast/wal';
import type { Attempt, CommandOutcome, PendingOutcome } from './command-outcome.js';
import {
  ledgerAnswerRemoved,
  ledgerOutcomeUnknown,
  ledgerUnavailable,
} from './ledger-writer.errors.js';

/** How a decision is counted: by its kind, and an acceptance or refusal that is recorded by what it is. */
export type DecisionLabel =
  | 'accepted'
  | 'rejected'
  | 'refused'
  | 'replayed'
  | 'unchanged'
  | 'malformed'
  | 'in-flight'
  | 'dry-run';

export type CommitListener = (commit: CommitFigures) => void;

const CLOCK_WATCH_MILLIS = 1_000;
const UNSYNCED_MILLIS_MAX_DEFAULT = 1_000;

export interface LedgerWriterOptions {
  /** `onCommit` is the writer's own: see there. */
  readonly wal?: Omit<WalOptions, 'onCommit'>;
  /** Where the state is checkpointed; in memory, and made of the whole log at each start, when left out. */
  readonly state?: Omit<CheckpointedStateOptions, 'stateVersion' | 'takesOver'> | undefined;
  /** How long compaction leaves the events of keys alone that are used from now on; 30 days when left out. */
  readonly keyRetentionMillis?: number;
  /** With durability `none`: the longest time until what was answered is synced, and readers see it. Default 1,000. */
  readonly unsyncedMillisMax?: number;
  readonly clock?: MonotonicClock;
  readonly newId?: (nowMillis: number) => string;
  /** Beyond these commands are refused with `EVENT_CLOCK_SKEW`. Every clock is believed when left out. */
  readonly clockBounds?: ClockBounds;
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/** A command found by its key. */
export interface FoundCommand {
  readonly kind: 'found';
  readonly position: Position;
  readonly recordedAtMillis: number;
  readonly outcome: 'accepted' | 'rejected';
  readonly answer: Answer;
}

/**
 * The write side: one writer, one state, one order.
 *
 * A command is decided, appended and applied to the state within one turn of the event loop, so commands need no locks and see
 * each other's effects at once. What a decision saw or made may be told only when it is durable: otherwise a crash could erase
 * the reason for an answer already given. It knows no HTTP.
 */
export class LedgerWriter {
  private readonly view: LedgerView;
  private readonly watching: NodeJS.Timeout;
  private readonly syncing: NodeJS.Timeout | undefined;
  private readonly counts = new Map<LedgerCommandType, Map<DecisionLabel, number>>();

  private constructor(
    readonly log: WalEventLog,
    private readonly commitListeners: Set<CommitListener>,
    private readonly keyRetentionMillis: number | undefined,
    unsyncedMillisMax: number | undefined,
    private readonly newId: (nowMillis: number) => string = newUuidV7,
  ) {
    this.view = new LedgerView(log.state, log);
    // A clock that is wrong, or right again, is noticed also while nobody sends a command.
    this.watching = setInterval(() => log.clockStatus(), CLOCK_WATCH_MILLIS).unref();
    // Where nobody asks for a sync, readers would see nothing before the next checkpoint. A failure is the log's to tell.
    if (unsyncedMillisMax !== undefined)
      this.syncing = setInterval(() => {
        if (log.lastPosition > log.durablePosition) log.wal.flush().catch(() => undefined);
      }, unsyncedMillisMax).unref();
  }

  /** Opens the log and replays it. Throws what `Wal.open` throws, before anything was changed, and `LEDGER_EVENT_UNKNOWN`. */
  static async open(directory: string, options: LedgerWriterOptions = {}): Promise<LedgerWriter> {
    const { wal, state, clock, clockBounds, onReplayProgress } = options;
    const commitListeners = new Set<CommitListener>();
    const log = await WalEventLog.open(directory, {
      evolve,
      upcasters: new Upcasters(ledgerEventSchemas),
      wal: { ...wal, onCommit: (commit) => commitListeners.forEach((tell) => tell(commit)) },
      ...(state && { state: { ...state, ...LEDGER_STATE } }),
      ...(clock && { clock }),
      clockBounds,
      ...(onReplayProgress && { onReplayProgress }),
    });
    const { keyRetentionMillis, unsyncedMillisMax = UNSYNCED_MILLIS_MAX_DEFAULT } = options;
    const syncMillis = wal?.durability === 'none' ? unsyncedMillisMax : undefined;
    return new LedgerWriter(log, commitListeners, keyRetentionMillis, syncMillis, options.newId);
  }

  /** Decides a command and, if it changes anything, appends it. Resolves once the outcome may be told. */
  async execute(command: LedgerCommand, attempt: Attempt): Promise<CommandOutcome> {
    return this.settle(this.admit(command, attempt));
  }

  /**
   * The synchronous part of `execute`. Throws before anything was applied: `WAL_OVERLOADED`, `WAL_FULL`, `WAL_TOO_LARGE`,
   * `LEDGER_UNAVAILABLE`, `EVENT_CLOCK_SKEW`. Throws `LEDGER_OUTCOME_UNKNOWN` for a key that was used in a part of the log that failed.
   */
  admit(command: LedgerCommand, attempt: Attempt): PendingOutcome {
    const { logMillis: nowMillis, wallMillis } = this.log.present();
    const commandId = this.newId(nowMillis);
    const context = {
      ...attempt,
      nowMillis,
      wallMillis,
      commandId,
      keyRetentionMillis: this.keyRetentionMillis,
    };
    const decision = this.decide(command, context);
    switch (decision.kind) {
      case 'accepted':
        if (attempt.dryRun === true) {
          this.log.assertClock();
          return this.rehearsed(command.type, answerable(decision.append, nowMillis));
        }
        return this.recorded(command.type, 'accepted', decision.append, nowMillis);
      case 'refused':
        if (decision.append !== undefined)
          return this.recorded(command.type, 'rejected', decision.append, nowMillis);
        // What it would be refused for in earnest. A refusal that rests on no time is told in any case.
        if (attempt.dryRun === true) this.log.assertClock();
        this.count(command.type, attempt.dryRun === true ? 'dry-run' : 'refused');
        return this.observed(() => ({ kind: 'refused', rejection: decision.rejection }));
      case 'replayed':
        return this.replayed(command.type, decision.position);
      case 'removed':
        this.count(command.type, 'replayed');
        return {
          durable: () => Promise.resolve(),
          read: () => {
            throw ledgerAnswerRemoved(decision.position);
          },
        };
      case 'unchanged': {
        const { data } = decision;
        const found: Answerable = { type: 'CommandUnchanged', data, recordedAtMillis: nowMillis };
        if (attempt.dryRun === true) return this.rehearsed(command.type, found);
        this.count(command.type, 'unchanged');
        return this.observed(() => ({
          kind: 'answered',
          answer: answerOf(found),
          position: decision.position,
          replayed: false,
        }));
      }
      case 'malformed':
        this.count(command.type, 'malformed');
        return { durable: () => Promise.resolve(), read: () => decision };
    }
  }

  /** Waits until the outcome may be told. Throws `LEDGER_UNAVAILABLE` or `LEDGER_OUTCOME_UNKNOWN`. */
  async settle(pending: PendingOutcome): Promise<CommandOutcome> {
    await pending.durable();
    return pending.read();
  }

  /**
   * The command that used a key, or undefined: then it is not in the log, but may still be on its way. Waits until it is
   * durable; throws `LEDGER_OUTCOME_UNKNOWN` when that cannot become true, and `LEDGER_ANSWER_REMOVED`.
   */
  async find(key: CommandKey): Promise<FoundCommand | undefined> {
    const used = this.view.keyUse(key.ledger, key.actor, key.key);
    if (used === undefined) return undefined;
    const { position, event } = used;
    if (event === undefined) throw ledgerAnswerRemoved(position);
    await this.log.whenDurable(position).catch(unknown);
    return {
      kind: 'found',
      position,
      recordedAtMillis: event.recordedAtMillis,
      outcome: outcomeOf(event),
      answer: answerOf(ledgerEventOf(event)),
    };
  }

  /** What a request with this key and hash would be, durably recorded or not: only a new one would be decided. */
  recognise(key: CommandKey, bodyHash: string): Recognition['kind'] {
    return recognise(key, bodyHash, this.view).kind;
  }

  /** Whether keys may have been recorded in quotes, as earlier releases did: see `keySpellings`. */
  mayHoldQuotedKeys(ledger: string, actor: string): boolean {
    return this.view.mayHoldQuotedKeys(ledger, actor);
  }

  /** Whether the ledger is open, durably or not: what is not there cannot be lost. */
  hasLedger(ledger: string): boolean {
    return this.view.ledger(ledger) !== undefined;
  }

  /** Tells of each group commit of the log, for metrics. The listener must not throw. */
  onCommit(listener: CommitListener): void {
    this.commitListeners.add(listener);
  }

  /** How many commands of each type were decided how. */
  decisions(): ReadonlyMap<LedgerCommandType, ReadonlyMap<DecisionLabel, number>> {
    return this.counts;
  }

  /** Resolves with the reason when no command is taken any more: the process should then end, and recovery decides. */
  get failed(): Promise<CodedError> {
    return this.log.failed;
  }

  /** Why no command is taken any more, if so. */
  get failure(): CodedError | undefined {
    return this.log.poisoned;
  }

  /** Waits for everything admitted, then releases the log. */
  close(): Promise<void> {
    clearInterval(this.watching);
    clearInterval(this.syncing);
    return this.log.close();
  }

  private recorded(
    type: LedgerCommandType,
    label: 'accepted' | 'rejected',
    append: LedgerAppend,
    recordedAtMillis: number,
  ): PendingOutcome {
    const { events, position, durable } = this.append(append, recordedAtMillis);
    this.count(type, label);
    return {
      durable: () => durable.catch(unknown),
      read: () => ({
        kind: 'answered',
        answer: answerOf(ledgerEventOf(defined(events[0], 'the appended event'))),
        position,
        replayed: false,
      }),
    };
  }

  /** Reading the state may be what finds out that it was damaged. */
  private decide(command: LedgerCommand, context: CommandContext): Decision {
    try {
      return decide(command, context, this.view);
    } catch (error) {
      if (LOG_FAILURES.has(errorCode(error))) unavailable(error);
      throw error;
    }
  }

  private append(append: LedgerAppend, recordedAtMillis: number) {
    if (this.failure !== undefined) unavailable(this.failure);
    try {
      const appended = this.log.append({ appends: [append], recordedAtMillis });
      assert(!appended.repeated, 'a new id is never recognised');
      return appended;
    } catch (error) {
      // The log may find only now that it has failed, before this commit or, when its state breaks, right after it.
      if (errorCode(error) === 'EVENT_STATE_BROKEN') unknown(error);
      if (LOG_FAILURES.has(errorCode(error))) unavailable(error);
      throw error;
    }
  }

  private replayed(type: LedgerCommandType, position: Position): PendingOutcome {
    // A failed log never makes it durable, and to say "nothing was applied" of it would be to guess.
    if (position > this.log.durablePosition && this.failure !== undefined) unknown(this.failure);
    // Where answers do not wait for a sync, neither does their repetition.
    if (position > this.log.acknowledgedPosition) {
      this.count(type, 'in-flight');
      return { durable: () => Promise.resolve(), read: () => ({ kind: 'in-flight' }) };
    }
    this.count(type, 'replayed');
    return {
      durable: () => Promise.resolve(),
      read: () => ({
        kind: 'answered',
        answer: this.answerAt(position),
        position,
        replayed: true,
      }),
    };
  }

  private rehearsed(type: LedgerCommandType, event: Answerable): PendingOutcome {
    this.count(type, 'dry-run');
    return this.observed(() => ({ kind: 'rehearsed', answer: answerOf(event) }));
  }

  /** An outcome that made nothing but was decided on all there is so far. */
  private observed(read: () => CommandOutcome): PendingOutcome {
    const position = this.log.lastPosition;
    return { durable: () => this.log.whenDurable(position).catch(unavailable), read };
  }

  private answerAt(position: Position): Answer {
    return answerOf(ledgerEventOf(this.eventAt(position)));
  }

  private eventAt(position: Position): RecordedEvent {
    const event = this.log.admittedAt(position);
    if (event === undefined && position < this.log.firstPosition)
      throw ledgerAnswerRemoved(position);
    return defined(event, `the event at ${position}`);
  }

  private count(type: LedgerCommandType, label: DecisionLabel): void {
    let labels = this.counts.get(type);
    if (labels === undefined) {
      labels = new Map();
      this.counts.set(type, labels);
    }
    labels.set(label, (labels.get(label) ?? 0) + 1);
  }
}

/** The event that would have been recorded, with the time it would have got. */
function answerable({ events: [event] }: LedgerAppend, recordedAtMillis: number): Answerable {
  const { type, data } = event;
  // The pair comes from one event, which the compiler forgets when it is taken apart.
  return { type, data, recordedAtMillis } as Answerable;
}

/** With these the log takes no commit any more; others are about this one. */
const LOG_FAILURES: ReadonlySet<string | undefined> = new Set([
  'WAL_POISONED',
  'WAL_FENCED',
  'WAL_CLOSED',
  'EVENT_LOG_CLOSED',
  'EVENT_STATE_DAMAGED',
  'EVENT_STATE_UNAVAILABLE',
]);

function unknown(cause: unknown): never {
  throw ledgerOutcomeUnknown(cause);
}

function unavailable(cause: unknown): never {
  throw ledgerUnavailable(cause);
}
