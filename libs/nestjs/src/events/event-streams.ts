import { type PlacedLog, decodePosition, encodePosition } from '@holdfast/commands/reading';
import type { EventBatch, EventFilter, EventSource, Position } from '@holdfast/event-store';
import { BEFORE_FIRST_POSITION } from '@holdfast/event-store/reading';
import { errorCode } from '@holdfast/kernel';
import { Readable } from 'node:stream';
import { type FeedCursor, FeedConsumers, SourceFeed } from '@holdfast/projections';
import { tellsItsEnd } from '../http/break-off.js';
import { codedProblem } from '../http/coded-error-problems.js';
import { EVENTS_ERRORS, eventsGone, notDurableYet } from '../http/event-problems.js';
import type { Exchange } from '../http/exchange.js';
import type { ProblemCatalogue } from '../http/problem-catalogue.js';
import { ProblemException } from '../http/problem.exception.js';
import { positionUnknown, serviceStopping } from '../http/query-problems.js';
import { type StreamLimits, StreamPlaces } from '../http/stream-places.js';
import { EventAnswer } from './event-answer.js';
import { pageOf } from './event-page.js';
import { type EventsRequest, eventsRequestOf } from './event-request.js';
import { type StreamContext, streamOf } from './event-stream.js';
import { type ShowsEvent, eventAsRecorded, positionToken } from './event-text.js';
import { ThreadShare } from './thread-share.js';

/** Of a log, what it takes to let clients follow it. The writer's own, or a reader. */
export type FollowedLog = EventSource & PlacedLog;

/** Which events a handler shows to a client, and how. */
export interface Followed {
  /** `types` are those that a client may see, and of which it may choose by `type`; `tags` take the place of those that it asks for by `tag`. */
  readonly filter?: EventFilter;
  /** As they were recorded, when left out. */
  readonly shows?: ShowsEvent;
}

export interface EventStreamsOptions extends StreamLimits {
  readonly log: FollowedLog;
  /** Ends all streams. */
  readonly stopping: AbortSignal;
  /** The types that clients may see where a handler names none. All, when left out. */
  readonly types?: readonly string[];
  /** Where given, problems are answered from it; otherwise they are thrown, for a filter. */
  readonly problems?: ProblemCatalogue;
  /** A live stream that has nothing to say says so this often. Default 15,000: less than what proxies wait for. */
  readonly heartbeatMillis?: number;
  /** A live stream ends after so long, give or take a tenth, and its client comes back, perhaps elsewhere. Default 15 minutes. */
  readonly lifeMillisMax?: number;
  /** How long a client may take nothing of what waits for it, before its connection ends. Default 60,000. */
  readonly stallMillisMax?: number;
  /** How long to wait for a position that is not durable yet. Default 5,000. */
  readonly durableMillisMax?: number;
}

export const HEARTBEAT_MILLIS = 15_000;
const LIFE_MILLIS_MAX = 15 * 60_000;
const STALL_MILLIS_MAX = 60_000;
const DURABLE_MILLIS_MAX = 5_000;
/** Read at once, so that nothing else that the thread does waits for long. */
const BATCH_EVENTS = 64;

const LIFE_JITTER = 0.1;

const GONE = new Set<string | undefined>([
  ...['FEED_COMPACTED', 'EVENT_POSITION_GONE', 'WAL_SEQUENCE_GONE'],
]);

const CONTENT_TYPES = {
  page: 'application/json; charset=utf-8',
  lines: 'application/x-ndjson; charset=utf-8',
  live: 'text/event-stream; charset=utf-8',
} as const;

/** Nobody on the way keeps an answer, packs it, or waits until there is more of it. */
const HEADERS = {
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  Vary: 'Accept',
} as const;

export interface EventsAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
}

/** Where an answer begins: behind a position; with no cursor, at the first event of the log. */
interface Start {
  readonly position: Position;
  readonly cursor: FeedCursor | undefined;
}

/**
 * Durable events of a log over HTTP: as a page, as lines, and live (server-sent events). Positions are the tokens that clients know from `Holdfast-Position`;
 * who goes on after one gets each event behind it once. A client that reads slowly makes us hold one batch and what its connection buffers, and nothing of the log.
 */
export class EventStreams {
  readonly problems: ProblemCatalogue | undefined;
  private readonly feed: SourceFeed;
  private readonly places: StreamPlaces;
  private readonly share = new ThreadShare();
  private readonly closing = new AbortController();
  private readonly answers = new Set<EventAnswer>();

  constructor(private readonly options: EventStreamsOptions) {
    const { log, stopping, problems, heartbeatMillis = HEARTBEAT_MILLIS } = options;
    this.problems = problems;
    this.places = new StreamPlaces(options);
    this.feed = new SourceFeed(log, {
      heartbeatMillis,
      // They come and go, and keep no floor: no list of consumers has them.
      consumers: new FeedConsumers(),
      visibilityMillisMax: options.durableMillisMax ?? DURABLE_MILLIS_MAX,
    });
    const end = (): void => this.end();
    stopping.addEventListener('abort', end, { once: true });
    if (stopping.aborted) end();
  }

  /** How many answers are under way. */
  get count(): number {
    return this.places.count;
  }

  /**
   * The answer to a request for events. Throws `ProblemException`: `invalid-request`, `not-acceptable`, `position-unknown`, `events-gone`, `overloaded`,
   * `too-many-streams`, `storage-unavailable`, `service-stopping`.
   */
  async answer(exchange: Exchange, { filter = {}, shows }: Followed): Promise<EventsAnswer> {
    if (this.closing.signal.aborted) throw serviceStopping();
    const asked = eventsRequestOf(exchange);
    const request = { ...asked, filter: narrowed(asked.filter, filter, this.options.types) };
    const giveBack = this.places.take(exchange.client);
    const answer = new EventAnswer(exchange.outgoing, request.format);
    this.answers.add(answer);
    void answer.closed.then(() => {
      this.answers.delete(answer);
      giveBack();
    });
    try {
      return await this.begin(answer, request, shows ?? eventAsRecorded, exchange);
    } catch (error) {
      throw this.asProblem(error);
    }
  }

  /** Ends every answer, and resolves once nothing reads the log any more. */
  async close(): Promise<void> {
    this.end();
    await Promise.all(Array.from(this.answers, ({ hasRead }) => hasRead));
    await this.feed.close();
  }

  private end(): void {
    this.closing.abort();
    for (const answer of this.answers) answer.stop();
  }

  private async begin(
    answer: EventAnswer,
    request: EventsRequest,
    shows: ShowsEvent,
    { request: { method }, outgoing }: Exchange,
  ): Promise<EventsAnswer> {
    const { options, share } = this;
    const { log, heartbeatMillis = HEARTBEAT_MILLIS } = options;
    const { format, limit } = request;
    const headers = { ...HEADERS, 'Content-Type': CONTENT_TYPES[format] };
    const context: StreamContext = { log, shows, share, heartbeatMillis };
    // What is wrong with the request, or with the log, is found before anything is answered.
    const start = await this.startOf(request, answer.signal);
    if (format === 'page') {
      const batches = this.batches(start, request, answer.signal);
      const { body, after } = await pageOf(batches, { limit, from: start.position }, context);
      return { headers: { ...headers, 'Holdfast-Position': after }, body };
    }
    if (method === 'HEAD') return { headers, body: Readable.from([], { objectMode: false }) };
    const upTo = positionToken(log, log.durablePosition);
    const batches = await begun(this.batches(start, request, answer.signal));
    const { stallMillisMax = STALL_MILLIS_MAX, lifeMillisMax = LIFE_MILLIS_MAX } = options;
    const jitter = 1 - LIFE_JITTER + 2 * LIFE_JITTER * Math.random();
    return {
      headers: {
        ...headers,
        // How far the lines go; fewer may be asked for, and what is live goes on. Whoever cannot know whether all of them came must not go on after it.
        ...(format === 'lines' &&
          limit === Infinity &&
          tellsItsEnd(outgoing) && { 'Holdfast-Position': upTo }),
      },
      body: answer.stream(streamOf(batches, request, context), {
        stallMillisMax,
        lifeMillisMax: lifeMillisMax * jitter,
      }),
    };
  }

  /** Whole commits from there on, but for a client that went away within one. What is live ends by the signal alone. */
  private async *batches(
    start: Start,
    { format, filter }: EventsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<EventBatch, void> {
    const batches =
      format === 'live' ? this.live(start, filter, signal) : this.upToNow(start, filter);
    let isFirst = true;
    for await (const batch of batches) {
      // Whoever begins at the first event gets it, or hears that retention has come in between.
      if (isFirst) this.assertThere(start.position);
      isFirst = false;
      if (signal.aborted) return;
      yield batch;
    }
  }

  private upToNow({ cursor }: Start, filter: EventFilter): AsyncIterable<EventBatch> {
    const after = cursor?.position ?? BEFORE_FIRST_POSITION;
    return this.options.log.readAll({ after, filter, batchEvents: BATCH_EVENTS });
  }

  private async *live(
    { cursor: from }: Start,
    filter: EventFilter,
    signal: AbortSignal,
  ): AsyncGenerator<EventBatch, void> {
    const subscription = this.feed.open({ from, filter, batchEvents: BATCH_EVENTS, signal });
    for await (const { events, cursor } of subscription)
      yield { events, position: cursor.position };
  }

  /** Throws `position-unknown`, `events-gone`, and `storage-unavailable` for what does not become durable in time. */
  private async startOf({ after }: EventsRequest, clientGone: AbortSignal): Promise<Start> {
    const { log } = this.options;
    const place = after && decodePosition(after.token, log.logId);
    if (typeof place === 'string') throw positionUnknown(place, after?.name);
    const position = place?.position ?? BEFORE_FIRST_POSITION;
    const timeline = place?.timeline ?? '';
    // What `events-gone` says to begin with.
    const isBegin = timeline === '' && position + 1 === firstOf(log);
    if (place === undefined || isBegin || position === BEFORE_FIRST_POSITION) {
      this.assertThere(position);
      return { position, cursor: undefined };
    }
    const known = timeline === '' ? (log.timelineAt(position) ?? '') : timeline;
    const cursor = { ...place, timeline: known };
    const { signal: stopping } = this.closing;
    try {
      await this.feed.whenOwn(cursor, AbortSignal.any([clientGone, stopping]));
    } catch (error) {
      if (errorCode(error) === 'FEED_DIVERGED') throw positionUnknown('taken-back', after?.name);
      if (errorCode(error) === 'FEED_UNAVAILABLE') throw notDurableYet();
      throw error;
    }
    if (stopping.aborted) throw serviceStopping();
    return { position, cursor };
  }

  private asProblem(error: unknown): unknown {
    // Retention may come in between at any moment.
    if (GONE.has(errorCode(error))) return this.gone();
    const known = codedProblem(error, EVENTS_ERRORS);
    if (known === undefined) return error;
    const { slug, ...options } = known;
    return new ProblemException(slug, { ...options, cause: error });
  }

  /** Throws `events-gone` when the log does not begin with what follows the position. */
  private assertThere(position: Position): void {
    if (firstOf(this.options.log) > position + 1) throw this.gone();
  }

  private gone(): ProblemException {
    const { log } = this.options;
    const before = (firstOf(log) - 1) as Position;
    // Without its history, which the log may have forgotten: to begin here is to leave out what came before.
    return eventsGone(encodePosition({ logId: log.logId, position: before, timeline: '' }));
  }
}

function narrowed(
  asked: EventFilter,
  own: EventFilter,
  types: readonly string[] | undefined,
): EventFilter {
  const allowed = own.types ?? types;
  const chosen = asked.types?.filter((type) => allowed?.includes(type) ?? true) ?? allowed;
  return { ...asked, ...own, ...(chosen && { types: chosen }) };
}

/** With its first batch read. */
async function begun(
  batches: AsyncGenerator<EventBatch, void>,
): Promise<AsyncIterable<EventBatch>> {
  const first = await batches.next();
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* batches;
    } finally {
      await batches.return();
    }
  })();
}

function firstOf({ firstPosition }: EventSource): number {
  return firstPosition ?? 1;
}
