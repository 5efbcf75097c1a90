import { type CodedError, assert, defined, errorCode, errorMessage } from '@holdfast/kernel';
import type { Admission, Wal } from '@holdfast/wal';
import { CommitEncoder, eventCountOf } from '../codec/commit-encoder.js';
import { COMMIT_EVENTS_MAX } from '../codec/event-format.js';
import type { Upcasters } from '../codec/upcaster.js';
import type { Position, RecordedEvent } from '../event.js';
import type { AppendedCommit, Commit } from '../event-log.js';
import { EventStoreError, invalid, tooLarge } from '../event-store.errors.js';
import type { FoldedState } from '../fold/folded-state.js';
import { type DurableEvents, positionOf } from '../log/durable-events.js';
import {
  type ConditionContext,
  type ForbiddenEvent,
  conditionFailed,
  forbiddenEvents,
  searchedEvents,
} from './append-condition.js';
import { checkVersions, wrongVersion } from './expected-versions.js';
import type { LogClock } from './log-clock.js';
import { PendingCommits } from './pending-commits.js';
import { findRepeated, findRepeatedAmong } from './repeated-commit.js';

export interface CommitAppenderParts {
  readonly wal: Wal;
  readonly durableEvents: DurableEvents;
  readonly folded: FoldedState;
  readonly upcasters: Upcasters | undefined;
  readonly clock: () => LogClock;
  /** The checkpoints of the state, if there are any. */
  readonly checkpoints: { assertRoom: () => void; appended: (bytes: number) => void } | undefined;
  /** Folding has failed: the state no longer follows from the log. */
  readonly onBroken: (error: CodedError) => void;
}

/**
 * Most events that wait to become readable. In a `sync` log the log's own queue is the bound; where nobody asks for a sync,
 * this one does.
 */
const PENDING_EVENTS_MAX = 50_000;

const NONE: readonly ForbiddenEvent[] = [];

/** What an append does, from the check of its versions to the fold of its events; and what was admitted until it can be read from the log. */
export class CommitAppender {
  private readonly encoder: CommitEncoder;
  private readonly pending = new PendingCommits();
  private folding = false;
  private releasing = false;
  private flushing = false;

  constructor(private readonly parts: CommitAppenderParts) {
    this.encoder = new CommitEncoder(parts.upcasters);
  }

  append(commit: Commit): AppendedCommit {
    // The events of an append within a fold would be folded before the rest of the ones that they follow in the log.
    assert(!this.folding, 'evolve does not append');
    const { folded, clock, checkpoints } = this.parts;
    assertSize(commit);
    const check = checkVersions(commit, (stream) => folded.index.version(stream));
    const forbidden = this.forbidden(commit);
    if (check.conflict !== undefined)
      return this.repeated(commit, forbidden, wrongVersion(check.conflict));
    const [first] = forbidden;
    if (first !== undefined) return this.repeated(commit, forbidden, conditionFailed(first));
    clock().assertTrusted();
    checkpoints?.assertRoom();
    const records = this.encoder.encode(commit, check.bases, this.timeOf(commit));
    const admission = this.admit(records);
    const events = this.encoder.recordedFrom(positionOf(admission.first));
    const position = positionOf(admission.last);
    const { durable } = admission;
    this.pending.add({ first: positionOf(admission.first), last: position, events, durable });
    this.releaseWhen(durable);
    this.fold(events);
    checkpoints?.appended(bytesOf(records));
    return { events, position, repeated: false };
  }

  whenDurable(position: Position): Promise<void> {
    if (position <= this.durablePosition) return Promise.resolve();
    const commit = this.pending.holding(position);
    return commit?.durable ?? Promise.reject(this.unknownPosition(position));
  }

  /** An event that the log may not be read up to yet. */
  pendingAt(position: Position): RecordedEvent | undefined {
    const pending = this.pending.holding(position);
    return pending?.events[position - pending.first];
  }

  private get durablePosition(): Position {
    return this.parts.durableEvents.durablePosition;
  }

  private timeOf({ recordedAtMillis }: Commit): number {
    const { folded, clock } = this.parts;
    if (recordedAtMillis === undefined) return clock().present().logMillis;
    const { lastRecordedAtMillis } = folded;
    if (recordedAtMillis >= lastRecordedAtMillis) return recordedAtMillis;
    throw invalid(
      `an event recorded at ${recordedAtMillis} cannot follow one recorded at ${lastRecordedAtMillis}`,
      { recordedAtMillis, lastRecordedAtMillis },
    );
  }

  private forbidden({ condition }: Commit): readonly ForbiddenEvent[] {
    return condition === undefined ? NONE : forbiddenEvents(condition, this.conditionContext());
  }

  private conditionContext(): ConditionContext {
    const { folded, durableEvents, wal } = this.parts;
    return {
      tags: folded.index.tags,
      firstPosition: durableEvents.firstPosition,
      lastPosition: positionOf(wal.lastSequence),
      eventAt: (position) => this.pendingAt(position) ?? durableEvents.asRecordedAt(position),
    };
  }

  /** The earlier append of this commit. Throws the error where there was none. */
  private repeated(
    commit: Commit,
    forbidden: readonly ForbiddenEvent[],
    error: EventStoreError,
  ): AppendedCommit {
    const events =
      findRepeated(commit, this.parts.folded.index, this.admittedAt) ??
      this.repeatedAmongSearched(commit, forbidden);
    if (events === undefined) throw error;
    return {
      events,
      position: defined(events.at(-1), 'a commit has events').position,
      repeated: true,
    };
  }

  private repeatedAmongSearched(
    commit: Commit,
    forbidden: readonly ForbiddenEvent[],
  ): readonly RecordedEvent[] | undefined {
    const context = this.conditionContext();
    for (const one of forbidden) {
      const events = findRepeatedAmong(searchedEvents(one, context), commit, this.admittedAt);
      if (events !== undefined) return events;
    }
    return undefined;
  }

  private readonly admittedAt = (position: Position): RecordedEvent | undefined =>
    this.pendingAt(position) ?? this.parts.durableEvents.eventAt(position);

  private admit(records: readonly Uint8Array[]): Admission {
    try {
      return this.parts.wal.append(records);
    } catch (error) {
      if (errorCode(error) !== 'WAL_TOO_LARGE') throw error;
      throw tooLarge('the commit is larger than the log takes at once', {}, error);
    }
  }

  private fold(events: readonly RecordedEvent[]): void {
    try {
      this.folding = true;
      this.parts.folded.add(events);
      this.folding = false;
    } catch (error) {
      this.parts.onBroken(error as CodedError);
      if (errorCode(error) === 'EVENT_STATE_BROKEN') throw error;
      // The commit stands: whoever appended it must not take this for a refusal.
      throw unfolded(error);
    }
  }

  /** Forgets commits once they can be read from the log: one reaction a frame, not one a commit. */
  private releaseWhen(durable: Promise<void>): void {
    if (this.pending.eventCount > PENDING_EVENTS_MAX && !this.flushing) this.flush();
    if (this.releasing) return;
    this.releasing = true;
    const release = (): void => {
      this.releasing = false;
      this.pending.release(this.durablePosition);
      const next = this.pending.newest?.durable;
      if (next !== undefined && next !== durable) this.releaseWhen(next);
    };
    // A poisoned log keeps what it has; whoever waits hears of it.
    durable.then(release, () => undefined);
  }

  private flush(): void {
    this.flushing = true;
    const release = (): void => {
      this.flushing = false;
      this.pending.release(this.durablePosition);
    };
    this.parts.wal.flush().then(release, () => undefined);
  }

  private unknownPosition(position: Position): EventStoreError {
    const lastPosition = positionOf(this.parts.wal.lastSequence);
    return new EventStoreError(
      'EVENT_POSITION_UNKNOWN',
      `position ${position} was never given out; the last is ${lastPosition}`,
      { position, lastPosition },
    );
  }
}

function assertSize(commit: Commit): void {
  const count = eventCountOf(commit);
  if (count === 0) throw invalid('a commit has at least one event');
  if (count > COMMIT_EVENTS_MAX)
    throw tooLarge(`a commit has at most ${COMMIT_EVENTS_MAX} events, not ${count}`, { count });
}

function unfolded(cause: unknown): EventStoreError {
  return new EventStoreError(
    'EVENT_STATE_BROKEN',
    `what the fold of a commit needs of the state could not be read; the commit stands: ${errorMessage(cause)}`,
    {},
    { cause },
  );
}

function bytesOf(records: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const record of records) bytes += record.length;
  return bytes;
}
