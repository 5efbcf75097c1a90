import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  StreamableFile,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, catchError, map, mergeMap, of } from 'rxjs';
import { type Exchange, exchangeOf, respond } from '../http/exchange.js';
import { HttpAnswers } from '../http/http-answers.js';
import { EventStreams, type EventsAnswer, type Followed } from './event-streams.js';

const UNDER_WAY = new AbortController().signal;

@Injectable()
export class EventsInterceptor implements NestInterceptor {
  constructor(
    @Inject(EventStreams) private readonly streams: EventStreams,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    return next.handle().pipe(
      mergeMap((followed: Followed) => this.streams.answer(exchange, followed)),
      map((answer) => this.send(answer, exchange)),
      catchError((error: unknown) => of(this.problem(error, exchange))),
    );
  }

  private send({ headers, body }: EventsAnswer, { response }: Exchange): unknown {
    const { httpAdapter } = this.host;
    for (const [name, value] of Object.entries(headers))
      httpAdapter.setHeader(response, name, value);
    return typeof body === 'string' ? body : new StreamableFile(body);
  }

  /** Rethrows where a filter answers, and what is a bug. */
  private problem(error: unknown, { response }: Exchange): string {
    const { problems } = this.streams;
    if (problems === undefined) throw error;
    const none = () => undefined as never;
    const answers = new HttpAnswers<never>(problems, {}, { shown: none, rejection: none });
    return respond(this.host.httpAdapter, response, answers.thrown(error), UNDER_WAY);
  }
}
