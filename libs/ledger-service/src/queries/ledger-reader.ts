import type { Position } from '@holdfast/event-store';
import {
  ProblemException,
  RETRY_AFTER_SECONDS,
  lagging,
  positionUnknown,
  serviceStopping,
} from '@holdfast/nestjs/http';
import { type FeedCursor, divergenceOf } from '@holdfast/projections';
import { type Place, decodePosition, encodePosition } from '@holdfast/commands/reading';
import type { Finding, Found } from './finding.js';
import type { QueryAsker } from './ledger-queries.js';
import type { LedgerQuery } from './ledger-query.js';
import type { ReadModelSight } from './read-model-sight.js';

export interface QueryAnswer {
  /** The body as JSON. */
  readonly found: Found<Uint8Array>;
  /** The `Holdfast-Position` of the moment that the answer shows; undefined while the read model has seen no log. */
  readonly position: string | undefined;
}

/** What a process of queries sees of the log that commands go to. */
export type SeenLog = Parameters<typeof divergenceOf>[0];

export interface LogSight {
  /** As it was a moment ago; undefined while nobody knows. */
  look(): SeenLog | undefined | Promise<SeenLog | undefined>;
  /** As it is now; undefined when nobody answers. */
  ask(): Promise<SeenLog | undefined>;
}

export interface LedgerReaderOptions {
  /** The longest that a query waits for a position. */
  readonly waitMillisMax: number;
  /**
   * Where the log stands, for a process that knows it. A query that names no position then waits a moment for what had been
   * written when it came, and takes what there is when that is not enough. `Prefer: wait=0` waits for nothing.
   */
  readonly durablePosition?: () => Position;
  /** Every answer is of this log, and of a history that it has, or it is refused. */
  readonly log?: LogSight;
}

const FIRST_POSITION = 1 as Position;
/** Far longer than a projection that is up with the log needs, and short enough for one that is not. */
const UNASKED_WAIT_MILLIS_MAX = 250;

/** Asks the read model, once it has come as far as the client needs. */
export class LedgerReader {
  constructor(
    private readonly sight: ReadModelSight,
    private readonly asker: QueryAsker,
    private readonly options: LedgerReaderOptions,
  ) {}

  /**
   * Throws `ProblemException`: `projection-lagging` when the read model did not come as far within the wait, `position-unknown`
   * for a position of another log, or of a history that a restore took back, `service-stopping` when the signal fired in the wait, and what the query misses. Throws
   * `READ_MODEL_NOT_READY` and what else the read model throws.
   */
  async answer(
    query: LedgerQuery<unknown>,
    options: { readonly waitSeconds: number | undefined; readonly signal: AbortSignal },
  ): Promise<QueryAnswer> {
    const { waitSeconds, signal } = options;
    const { waitMillisMax, durablePosition } = this.options;
    const asked = waitSeconds === undefined ? waitMillisMax : waitSeconds * 1_000;
    const waitMillis = Math.min(asked, waitMillisMax);
    const { name, arguments: given, minPosition } = query;
    // Who does not wait needs no look beside the query: its own moment tells.
    if (waitMillis > 0 && minPosition !== undefined)
      await this.reach(minPosition, waitMillis, signal);
    else if (waitMillis > 0 && durablePosition !== undefined)
      await this.sight.waitForPosition(
        durablePosition(),
        Math.min(waitMillis, UNASKED_WAIT_MILLIS_MAX),
        signal,
      );
    const { finding, cursor } = await this.asker.ask({ name, arguments: given }, signal);
    await this.assertOfLog(cursor);
    // The tables that were waited for may have been replaced since, by ones of another history.
    if (minPosition !== undefined) {
      if (cursor === undefined) throw lagging(headersOf(cursor));
      const place = await this.placeOf(minPosition, cursor);
      if (cursor.position < place.position) throw lagging(headersOf(cursor));
    }
    return answerOf(finding, cursor);
  }

  /** How much of the wait that a client prefers is granted, in whole seconds. */
  appliedWaitSeconds(waitSeconds: number): number {
    return Math.min(waitSeconds, Math.floor(this.options.waitMillisMax / 1_000));
  }

  private async reach(token: string, waitMillis: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + waitMillis;
    // Until the read model has seen its log, it cannot know whether the position is of that log.
    await this.waitFor(FIRST_POSITION, waitMillis, signal);
    let own = this.sight.last;
    // The tables that were waited for may have been replaced since, and nobody has looked.
    if (own === undefined || (await divergenceFrom(this.options.log, own)) !== undefined)
      own = await this.sight.cursor();
    if (own === undefined) throw lagging({});
    await this.assertOfLog(own);
    const { position } = await this.placeOf(token, own);
    await this.waitFor(position, deadline - performance.now(), signal);
  }

  /** What a token names in the log of the read model at this cursor, which is of that log's history. Throws `position-unknown`. */
  private async placeOf(token: string, cursor: FeedCursor): Promise<Place> {
    const place = decodePosition(token, cursor.logId);
    if (place === 'malformed' || place === 'foreign') throw positionUnknown(place);
    const { log } = this.options;
    if (!isTakenBack(place, cursor, await log?.look())) return place;
    // What was seen a moment ago may be older than the token.
    const now = await log?.ask();
    if (log !== undefined && now === undefined) throw doubted(LOG_NOT_ANSWERING);
    if (isTakenBack(place, cursor, now)) throw positionUnknown('taken-back');
    return place;
  }

  private async assertOfLog(cursor: FeedCursor | undefined): Promise<void> {
    const doubt = await divergenceFrom(this.options.log, cursor);
    if (doubt !== undefined) throw doubted(doubt);
  }

  private async waitFor(
    position: Position,
    waitMillis: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (await this.sight.waitForPosition(position, Math.max(0, waitMillis), signal)) return;
    if (signal.aborted) throw serviceStopping();
    throw lagging(headersOf(await this.sight.cursor()));
  }
}

/** Why nothing may be answered from the read model. */
export interface ReadModelDoubt {
  readonly message: string;
  /** It is of another log or history; otherwise nobody knows. */
  readonly proved: boolean;
}

/**
 * Why the read model at this cursor may not be of the log; undefined when it is. While the log has not been seen even once, nobody knows: the read model may be of
 * a history that a restore took away.
 */
export async function divergenceFrom(
  log: LogSight | undefined,
  cursor: FeedCursor | undefined,
): Promise<ReadModelDoubt | undefined> {
  if (log === undefined || cursor === undefined) return undefined;
  const seen = await log.look();
  if (seen === undefined) return LOG_NOT_SEEN;
  const { position } = cursor;
  if (position <= seen.durablePosition && seen.timelineAt(position) === undefined)
    return HISTORY_FORGOTTEN;
  if (divergenceOf(seen, cursor) === undefined) return undefined;
  // What was seen a moment ago may be older than what the read model has seen since.
  const now = await log.ask();
  if (now === undefined) return LOG_NOT_ANSWERING;
  const divergence = divergenceOf(now, cursor);
  return divergence && { message: divergence.message, proved: true };
}

/** Nothing more comes to such a read model: the log no longer holds what follows. */
const HISTORY_FORGOTTEN: ReadModelDoubt = {
  message:
    'the log begins behind where the read model stands, so nobody knows whether it is of a history that the log has; it has to be made anew',
  proved: false,
};

const LOG_NOT_SEEN: ReadModelDoubt = {
  message:
    'the command service does not say which log it has, and may have begun anew since it did, so nobody knows whether the read model is of its log',
  proved: false,
};

/** It may have been started, and have written, since it was seen. */
const LOG_NOT_ANSWERING: ReadModelDoubt = {
  message:
    'the command service does not answer, and what it said last does not tell whether its log has this history',
  proved: false,
};

/** The place is of a history that the log does not have any more. A log that cannot tell, because that history begins too long ago, takes nothing back. */
function isTakenBack(place: Place, cursor: FeedCursor, seen: SeenLog | undefined): boolean {
  const { position, timeline } = place;
  if (timeline === '') return false;
  if (seen === undefined) return position === cursor.position && timeline !== cursor.timeline;
  if (position <= seen.durablePosition && seen.timelineAt(position) === '') return false;
  return divergenceOf(seen, place) !== undefined;
}

function doubted({ message, proved }: ReadModelDoubt): ProblemException {
  return new ProblemException('projection-lagging', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    detail: proved
      ? 'The read model is not of the log that commands go to, or of a history that it no longer has. It is not answered from.'
      : message,
  });
}

function answerOf(finding: Finding<Uint8Array>, cursor: FeedCursor | undefined): QueryAnswer {
  const position = positionOf(cursor);
  if (finding.kind === 'found') return { found: finding, position };
  throw new ProblemException(finding.problem, {
    parameters: finding.parameters,
    headers: positionHeader(position),
  });
}

function positionOf(cursor: FeedCursor | undefined): string | undefined {
  return cursor === undefined ? undefined : encodePosition(cursor);
}

function headersOf(cursor: FeedCursor | undefined): Record<string, string> {
  return positionHeader(positionOf(cursor));
}

function positionHeader(position: string | undefined): Record<string, string> {
  return position === undefined ? {} : { 'Holdfast-Position': position };
}
