import type { Position } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { ProblemException } from '@holdfast/platform';
import type { ReadModelSnapshot, SqliteReadModel } from '@holdfast/projections';
import { decodePosition, encodePosition } from '../shared/position-token.js';
import type { Found } from './found.js';
import type { LedgerQuery } from './ledger-query.js';

export interface QueryAnswer<Body> {
  readonly found: Found<Body>;
  /** The `Holdfast-Position` of the moment that the answer shows; undefined while the read model has seen no log. */
  readonly position: string | undefined;
}

export interface LedgerReaderOptions {
  /** The longest that a query waits for a position. */
  readonly waitMillisMax: number;
  /**
   * Where the log stands, for a process that knows it. A query that names no position then waits a moment for what had been
   * written when it came, and takes what there is when that is not enough. `Prefer: wait=0` waits for nothing.
   */
  readonly durablePosition?: () => Position;
}

const FIRST_POSITION = 1 as Position;
/** Far longer than a projection that is up with the log needs, and short enough for one that is not. */
const UNASKED_WAIT_MILLIS_MAX = 250;
const RETRY_AFTER_SECONDS = 1;

/** Asks the read model, once it has come as far as the client needs. */
export class LedgerReader {
  constructor(
    private readonly model: SqliteReadModel,
    private readonly options: LedgerReaderOptions,
  ) {}

  /**
   * Throws `ProblemException`: `projection-lagging` when the read model did not come as far within the wait, `position-unknown`
   * for a position of another log, and what the query misses. Throws `READ_MODEL_NOT_READY` and what else the read model throws.
   */
  async answer<Body>(
    query: LedgerQuery<Body>,
    options: { readonly waitSeconds: number | undefined; readonly signal: AbortSignal },
  ): Promise<QueryAnswer<Body>> {
    const { waitSeconds, signal } = options;
    const { waitMillisMax, durablePosition } = this.options;
    const asked = waitSeconds === undefined ? waitMillisMax : waitSeconds * 1_000;
    const waitMillis = Math.min(asked, waitMillisMax);
    if (query.minPosition !== undefined) await this.reach(query.minPosition, waitMillis, signal);
    else if (durablePosition !== undefined)
      await this.model.waitForPosition(
        durablePosition(),
        Math.min(waitMillis, UNASKED_WAIT_MILLIS_MAX),
        signal,
      );
    return this.model.read((snapshot) => answerOf(query, snapshot));
  }

  private async reach(token: string, waitMillis: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + waitMillis;
    // Until the read model has seen its log, it cannot know whether the position is of that log.
    await this.waitFor(FIRST_POSITION, waitMillis, signal);
    const { logId } = this.model.read(({ cursor }) => defined(cursor, 'where a first event was'));
    const position = decodePosition(token, logId);
    if (position === 'malformed' || position === 'foreign') throw positionUnknown(position);
    await this.waitFor(position, deadline - performance.now(), signal);
  }

  private async waitFor(
    position: Position,
    waitMillis: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (await this.model.waitForPosition(position, Math.max(0, waitMillis), signal)) return;
    throw new ProblemException('projection-lagging', {
      outcome: 'not-applied',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      detail:
        'The read model has not come as far as the position asked for. Its own is in Holdfast-Position.',
      headers: positionHeader(this.model.read(positionOf)),
    });
  }
}

function answerOf<Body>(query: LedgerQuery<Body>, snapshot: ReadModelSnapshot): QueryAnswer<Body> {
  const finding = query.ask(snapshot);
  const position = positionOf(snapshot);
  if (finding.kind === 'found') return { found: finding, position };
  throw new ProblemException(finding.problem, {
    parameters: finding.parameters,
    headers: positionHeader(position),
  });
}

function positionOf({ cursor }: ReadModelSnapshot): string | undefined {
  return cursor === undefined ? undefined : encodePosition(cursor.logId, cursor.position);
}

function positionHeader(position: string | undefined): Record<string, string> {
  return position === undefined ? {} : { 'Holdfast-Position': position };
}

function positionUnknown(why: 'malformed' | 'foreign'): ProblemException {
  return new ProblemException('position-unknown', {
    detail:
      why === 'malformed'
        ? 'minPosition is not a position that this service gave.'
        : 'minPosition is a position of another log: of another installation, or of one that was replaced.',
  });
}
