import type {
  AppendedCommit,
  Position,
  RecordedEvent,
  StreamAppend,
  WalEventLog,
} from '@holdfast/event-store';
import { type CodedError, assert, defined, errorCode, errorMessage } from '@holdfast/kernel';
import type { CommandContext } from '../model/command-context.js';
import { CommandDecisions } from './command-decisions.js';
import {
  type CommandLog,
  type CommandLogOptions,
  type CommitListener,
  openCommandLog,
} from './command-log.js';
import type { Answerable, AnyCommand, CommandModel } from '../model/command-model.js';
import type {
  Attempt,
  Answered,
  CommandOutcome,
  FoundCommand,
  PendingOutcome,
} from '../model/command-outcome.js';
import { answerRemoved, commandsUnavailable, outcomeUnknown } from './command-writer.errors.js';
import type { Accepted, Decision, FoundUnchanged, Refused } from '../model/decision.js';
import { DecisionCounts, type DecisionLabel } from './decision-counts.js';
import type { CommandKey } from '../keys/command-key.js';
import { type Recognition, outcomeOf } from './recognition.js';
import { newUuidV7 } from './uuid-v7.js';

const CLOCK_WATCH_MILLIS = 1_000;
const UNSYNCED_MILLIS_MAX_DEFAULT = 1_000;

export interface CommandWriterOptions extends CommandLogOptions {
  /** How long compaction keeps the events of keys used from now on. Default 30 days. */
  readonly keyRetentionMillis?: number;
  /** With durability `none`: the longest time until answers are synced and readers see them. Default 1,000. */
  readonly unsyncedMillisMax?: number;
  /** Makes a UUID in canonical form, never the same twice. Default: UUIDv7. */
  readonly newId?: (nowMillis: number) => string;
}

/**
 * Opens the log of a model for writing, and replays it.
 *
 * @throws what `openCommandLog` throws.
 */
export async function openCommandWriter<Command extends AnyCommand, Answer, View>(
  directory: string,
  model: CommandModel<Command, Answer, View>,
  options: CommandWriterOptions = {},
): Promise<CommandWriter<Command, Answer, View>> {
  return openCommandLog(directory, model, options, (log) => new CommandWriter(log, model, options));
}

/**
 * The write side of a model: one writer, one state, one order.
 *
 * A command is decided, appended and applied to the state within one turn of the event loop, so commands need no locks and see each other's effects at
 * once. What a decision saw or made is revealed only when it is durable: otherwise a crash could erase the reason for an answer already given. It knows
 * no HTTP.
 */
export class CommandWriter<Command extends AnyCommand, Answer, View = unknown> {
  readonly log: WalEventLog;
  /** The model's view of everything admitted. */
  readonly view: View;
  private readonly decided: CommandDecisions<Command, Answer, View>;
  private readonly commitListeners: Set<CommitListener>;
  private readonly counts = new DecisionCounts<Command['type']>();
  private readonly watching: NodeJS.Timeout;
  private readonly syncing: NodeJS.Timeout | undefined;
  private isFull = false;

  constructor(
    { events, commitListeners, isUnsynced }: CommandLog,
    model: CommandModel<Command, Answer, View>,
    private readonly options: CommandWriterOptions,
  ) {
    this.log = events;
    this.commitListeners = commitListeners;
    this.decided = new CommandDecisions(model, events);
    this.view = this.decided.view;
    // A clock that is wrong, or right again, is noticed also while nobody sends a command.
    this.watching = setInterval(() => events.clockStatus(), CLOCK_WATCH_MILLIS).unref();
    // Where nobody asks for a sync, readers would see nothing before the next checkpoint. A failure is the log's to tell.
    if (isUnsynced)
      this.syncing = setInterval(() => {
        if (events.lastPosition > events.durablePosition) events.wal.flush().catch(() => undefined);
      }, options.unsyncedMillisMax ?? UNSYNCED_MILLIS_MAX_DEFAULT).unref();
  }

  /**
   * Decides a command and appends what it changes. Resolves once the outcome may be revealed.
   *
   * @throws what `admit` and `settle` throw.
   */
  async execute(command: Command, attempt: Attempt): Promise<CommandOutcome<Answer>> {
    return this.settle(this.admit(command, attempt));
  }

  /**
   * The synchronous part of `execute`. What it throws, it throws before anything was applied, except `COMMAND_OUTCOME_UNKNOWN`.
   *
   * @throws `WAL_OVERLOADED`, `WAL_FULL`, `EVENT_STATE_OVERLOADED`, `EVENT_CLOCK_SKEW`, `COMMANDS_UNAVAILABLE`: try again later.
   * @throws `EVENT_TOO_LARGE`, `EVENT_WRONG_VERSION`.
   * @throws `COMMAND_OUTCOME_UNKNOWN`: the key was used in a part of the log that failed.
   */
  admit(command: Command, attempt: Attempt): PendingOutcome<Answer> {
    const { logMillis: nowMillis, wallMillis } = this.log.present();
    const { keyRetentionMillis, newId = newUuidV7 } = this.options;
    const context = {
      ...attempt,
      nowMillis,
      wallMillis,
      commandId: newId(nowMillis),
      keyRetentionMillis,
    };
    const decision = this.decide(command, context);
    if (decision.kind === 'malformed') {
      // Which may be anything at all.
      this.counts.add((command as Partial<Command> | null | undefined)?.type ?? '', 'malformed');
      return immediately(() => decision);
    }
    const { type } = command;
    switch (decision.kind) {
      case 'accepted':
        return this.accepted(type, decision, context);
      case 'refused':
        return this.refused(type, decision, context);
      case 'replayed':
        return this.replayed(type, decision.event);
      case 'removed':
        this.counts.add(type, 'replayed');
        return immediately(() => answerRemoved(decision.position));
      case 'unchanged':
        return this.unchanged(type, decision, context);
    }
  }

  /**
   * Waits until the outcome may be revealed.
   *
   * @throws `COMMANDS_UNAVAILABLE`, `COMMAND_OUTCOME_UNKNOWN`, `COMMAND_ANSWER_REMOVED`.
   */
  async settle(pending: PendingOutcome<Answer>): Promise<CommandOutcome<Answer>> {
    await pending.durable();
    return pending.read();
  }

  /**
   * The command that used a key, once it is durable. Undefined if the key is not in the log; the command may still be on its way.
   *
   * @throws `COMMAND_OUTCOME_UNKNOWN`: it cannot become durable any more.
   * @throws `COMMAND_ANSWER_REMOVED`.
   */
  async find(key: CommandKey): Promise<FoundCommand<Answer> | undefined> {
    const used = this.decided.keyUse(key);
    if (used === undefined) return undefined;
    const { position, event } = used;
    if (event === undefined) return answerRemoved(position);
    await this.log.whenDurable(position).catch(outcomeUnknown);
    const { recordedAtMillis } = event;
    const answer = this.decided.answerOf(event);
    return { kind: 'found', position, recordedAtMillis, outcome: outcomeOf(event), answer };
  }

  /** How a request with this key and hash would be treated, durable or not. Only a new one would be decided. */
  recognise(key: CommandKey, bodyHash: string): Recognition['kind'] {
    return this.decided.recognise(key, bodyHash).kind;
  }

  /** Calls the listener for each group commit of the log, for metrics. It must not throw. */
  onCommit(listener: CommitListener): void {
    this.commitListeners.add(listener);
  }

  /** Counts of decisions by command type and kind. */
  decisions(): ReadonlyMap<Command['type'], ReadonlyMap<DecisionLabel, number>> {
    return this.counts.byType;
  }

  /** Resolves with the reason when no more commands are accepted. The process should then end, and recovery decides. */
  get failed(): Promise<CodedError> {
    return this.log.failed;
  }

  /** Why no more commands are accepted, if so. */
  get failure(): CodedError | undefined {
    return this.log.poisoned;
  }

  /**
   * Why nothing is recorded while the disk of the log is full. Where there is room again, this says so before a command has tried: a service that is not ready is sent none.
   */
  get fullBecause(): string | undefined {
    const refusal = this.isFull ? this.log.wal.roomRefusal : undefined;
    return refusal === undefined
      ? undefined
      : `nothing is recorded, because the disk is full: ${errorMessage(refusal)}`;
  }

  /** Waits for everything admitted, then releases the log. */
  close(): Promise<void> {
    clearInterval(this.watching);
    clearInterval(this.syncing);
    return this.log.close();
  }

  /** Reading the state may be what finds out that it was damaged. */
  private decide(command: Command, context: CommandContext): Decision {
    try {
      return this.decided.decide(command, context);
    } catch (error) {
      if (LOG_FAILURES.has(errorCode(error))) commandsUnavailable(error);
      throw error;
    }
  }

  private accepted(
    type: Command['type'],
    { appends }: Accepted,
    { dryRun, nowMillis }: CommandContext,
  ): PendingOutcome<Answer> {
    if (dryRun !== true) return this.recorded(type, 'accepted', appends, nowMillis);
    this.log.assertClock();
    return this.rehearsed(type, this.decided.firstOf(appends, nowMillis));
  }

  private refused(
    type: Command['type'],
    { appends, rejection }: Refused,
    { dryRun, nowMillis }: CommandContext,
  ): PendingOutcome<Answer> {
    if (appends !== undefined) return this.recorded(type, 'rejected', appends, nowMillis);
    // What it would be refused for in earnest. A refusal that rests on no time is told in any case.
    if (dryRun === true) this.log.assertClock();
    this.counts.add(type, dryRun === true ? 'dry-run' : 'refused');
    return this.observed(() => ({ kind: 'refused', rejection }));
  }

  private unchanged(
    type: Command['type'],
    { event, position = this.log.lastPosition }: FoundUnchanged,
    { dryRun }: CommandContext,
  ): PendingOutcome<Answer> {
    if (dryRun === true) return this.rehearsed(type, event);
    this.counts.add(type, 'unchanged');
    return this.observed(() => this.answered('accepted', event, position, false));
  }

  private rehearsed(type: Command['type'], event: Answerable): PendingOutcome<Answer> {
    this.counts.add(type, 'dry-run');
    return this.observed(() => ({ kind: 'rehearsed', answer: this.decided.answerOf(event) }));
  }

  private recorded(
    type: Command['type'],
    outcome: 'accepted' | 'rejected',
    appends: readonly StreamAppend[],
    recordedAtMillis: number,
  ): PendingOutcome<Answer> {
    const { events, position } = this.append(appends, recordedAtMillis);
    const durable = this.log.whenDurable(position);
    this.counts.add(type, outcome);
    const event = defined(events[0], 'the appended event');
    return {
      durable: () => durable.catch(outcomeUnknown),
      read: () => this.answered(outcome, event, event.position, false),
    };
  }

  private append(appends: readonly StreamAppend[], recordedAtMillis: number): AppendedCommit {
    if (this.failure !== undefined) commandsUnavailable(this.failure);
    try {
      const appended = this.log.append({ appends, recordedAtMillis });
      assert(!appended.repeated, 'a new id is never recognised');
      this.isFull = false;
      return appended;
    } catch (error) {
      // The log may find only now that it has failed, before this commit or, when its state breaks, right after it.
      if (errorCode(error) === 'EVENT_STATE_BROKEN') outcomeUnknown(error);
      if (LOG_FAILURES.has(errorCode(error))) commandsUnavailable(error);
      if (errorCode(error) === 'WAL_FULL') this.isFull = true;
      throw error;
    }
  }

  private replayed(type: Command['type'], event: RecordedEvent): PendingOutcome<Answer> {
    const { position } = event;
    // A failed log never makes it durable, and to say "nothing was applied" of it would be to guess.
    if (position > this.log.durablePosition && this.failure !== undefined)
      outcomeUnknown(this.failure);
    // Where answers do not wait for a sync, neither does their repetition.
    if (position > this.log.acknowledgedPosition) {
      this.counts.add(type, 'in-flight');
      return immediately(() => ({ kind: 'in-flight' }));
    }
    this.counts.add(type, 'replayed');
    return immediately(() => this.answered(outcomeOf(event), event, position, true));
  }

  private answered(
    outcome: 'accepted' | 'rejected',
    event: Answerable,
    position: Position,
    replayed: boolean,
  ): Answered<Answer> {
    return { kind: 'answered', outcome, answer: this.decided.answerOf(event), position, replayed };
  }

  /** An outcome that made nothing but was decided on all there is so far. */
  private observed(read: () => CommandOutcome<Answer>): PendingOutcome<Answer> {
    const position = this.log.lastPosition;
    return { durable: () => this.log.whenDurable(position).catch(commandsUnavailable), read };
  }
}

function immediately<Answer>(read: () => CommandOutcome<Answer>): PendingOutcome<Answer> {
  return { durable: () => Promise.resolve(), read };
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
