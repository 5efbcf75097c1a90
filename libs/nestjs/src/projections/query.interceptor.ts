import { decodePosition, encodePosition } from '@holdfast/commands';
import type { Position } from '@holdfast/event-store';
import {
  type FeedCursor,
  type ReadModelSnapshot,
  type SqliteReadModel,
  divergenceOf,
} from '@holdfast/projections';
import { assert } from '@holdfast/kernel';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, catchError, map, mergeMap, of } from 'rxjs';
import { type Exchange, exchangeOf, respond } from '../http/exchange.js';
import { type HttpAnswer, HttpAnswers } from '../http/http-answers.js';
import { preferredWaitSeconds } from '../http/prefer-wait.js';
import { ProblemException } from '../http/problem.exception.js';
import { QUERY_ERRORS, lagging, positionUnknown, serviceStopping } from '../http/query-problems.js';
import type { SqliteProjection } from '../feature/projection.js';
import { EventStore } from '../store/event-store.js';
import { subjectOf } from '../store/handler-checks.js';
import { Projections } from './projections.js';

/** Asks one moment of the read model, which has gone when it returns: no promise. What it returns is the body; undefined is 404. */
export type Query = (tables: ReadModelSnapshot) => (object & { readonly then?: never }) | undefined;

const WAIT_MILLIS_MAX = 10_000;
/** Of a query that names no position, for what was written before it came: far longer than a projection that is up with the log needs. */
const UNASKED_WAIT_MILLIS_MAX = 250;

@Injectable()
export class QueryInterceptor implements NestInterceptor {
  private readonly answers: HttpAnswers<never>;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(Projections) private readonly projections: Projections,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {
    const none = () => undefined as never;
    this.answers = new HttpAnswers<never>(store.problems, QUERY_ERRORS, {
      shown: none,
      rejection: none,
    });
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { subject } = subjectOf(context.getHandler() as () => unknown);
    const model = this.projections.modelOf(subject as SqliteProjection);
    const exchange = exchangeOf(context);
    const { stopping } = this.store;
    return next.handle().pipe(
      mergeMap((query: Query) => this.answer(query, model, exchange)),
      catchError((error: unknown) => of(this.answers.thrown(error))),
      map((answer) => respond(this.host.httpAdapter, exchange.response, answer, stopping)),
    );
  }

  private async answer(
    query: Query,
    model: SqliteReadModel,
    exchange: Exchange,
  ): Promise<HttpAnswer> {
    try {
      return await this.asked(query, model, exchange);
    } catch (error) {
      return this.answers.failure(error);
    }
  }

  /** Throws `ProblemException` and what the read model and the query throw. */
  private async asked(
    query: Query,
    model: SqliteReadModel,
    { request, query: parameters, response }: Exchange,
  ): Promise<HttpAnswer> {
    assert(typeof query === 'function', 'the handler returns a query: a function of the tables');
    const { prefer } = request.headers;
    const seconds = preferredWaitSeconds(prefer);
    const waitMillis = Math.min((seconds ?? Infinity) * 1_000, WAIT_MILLIS_MAX);
    const minPosition = this.minPositionOf(parameters);
    await this.reach(minPosition, model, waitMillis);
    const { body, cursor } = model.read((tables) => ({
      body: query(tables),
      cursor: tables.cursor,
    }));
    assertNoPromise(body);
    // The tables that were waited for may have been replaced since.
    if (minPosition !== undefined && (cursor?.position ?? 0) < minPosition)
      throw lagging(positionHeader(cursor));
    const headers = {
      'Cache-Control': 'no-cache',
      ...(seconds !== undefined && { 'Preference-Applied': `wait=${waitMillis / 1_000}` }),
      ...positionHeader(cursor),
    };
    if (body === undefined) throw new ProblemException('not-found', { headers });
    return { status: response.statusCode, headers, body };
  }

  /** Throws `position-unknown`. */
  private minPositionOf(parameters: URLSearchParams): Position | undefined {
    const token = parameters.get('minPosition');
    if (token === null) return undefined;
    const { log } = this.store.writer;
    const place = decodePosition(token, log.logId);
    if (typeof place === 'string') throw positionUnknown(place);
    if (place.timeline !== '' && divergenceOf(log, place) !== undefined)
      throw positionUnknown('taken-back');
    return place.position;
  }

  private async reach(
    minPosition: Position | undefined,
    model: SqliteReadModel,
    waitMillis: number,
  ): Promise<void> {
    const { stopping, writer } = this.store;
    if (minPosition === undefined) {
      const millis = Math.min(waitMillis, UNASKED_WAIT_MILLIS_MAX);
      await model.waitForPosition(writer.log.durablePosition, millis, stopping);
      return;
    }
    if (await model.waitForPosition(minPosition, waitMillis, stopping)) return;
    if (stopping.aborted) throw serviceStopping();
    throw lagging(model.ready ? positionHeader(model.read(({ cursor }) => cursor)) : {});
  }
}

function assertNoPromise(body: object | undefined): void {
  const isPromise = typeof (body as { then?: unknown } | undefined)?.then === 'function';
  // What it fails with comes too late for the request, and must not end the process.
  if (isPromise) Promise.resolve(body).catch(() => undefined);
  assert(!isPromise, 'a query answers at once, and not with a promise');
}

function positionHeader(cursor: FeedCursor | undefined): Record<string, string> {
  return cursor === undefined ? {} : { 'Holdfast-Position': encodePosition(cursor) };
}
