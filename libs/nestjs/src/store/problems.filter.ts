import { assert } from '@holdfast/kernel';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { STATUS_CODES } from 'node:http';
import { respond } from '../http/exchange.js';
import { type HttpAnswer, HttpAnswers } from '../http/http-answers.js';
import { PLATFORM_PROBLEMS } from '../http/platform-problems.js';
import { PROBLEM_MEDIA_TYPE } from '../http/problem-details.js';
import { ProblemException } from '../http/problem.exception.js';
import { EventStore } from './event-store.js';

/** Of these, the first with a status is what an exception with this status means. A 503 may mean anything. */
const NAMED_STATUS_MAX = 500;

/** What Nest makes of the arguments of its exceptions, the `ValidationPipe` for one. */
interface Standard {
  readonly statusCode: number;
  readonly message: string | readonly string[];
}

/**
 * Answers with problem+json what pipes, guards and handlers throw, on every route: a 400 of the `ValidationPipe` is `invalid-request` with its `errors`. An
 * exception with a body of its own keeps it. Register it as any filter: `{ provide: APP_FILTER, useClass: ProblemsFilter }`, or
 * `app.useGlobalFilters(app.get(ProblemsFilter))`. Filters of your own go on counting, by Nest's order.
 */
@Catch(HttpException, ProblemException)
export class ProblemsFilter implements ExceptionFilter {
  private readonly answers: HttpAnswers<never>;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {
    const none = () => undefined as never;
    this.answers = new HttpAnswers<never>(store.problems, {}, { shown: none, rejection: none });
  }

  catch(thrown: HttpException | ProblemException, host: ArgumentsHost): void {
    assert(host.getType() === 'http', 'problem+json is for HTTP');
    const { httpAdapter } = this.host;
    const response = host.switchToHttp().getResponse<object>();
    const answer =
      thrown instanceof ProblemException ? this.answers.thrown(thrown) : this.answerTo(thrown);
    httpAdapter.reply(response, respond(httpAdapter, response, answer, this.store.stopping));
  }

  private answerTo(exception: HttpException): HttpAnswer {
    const status = exception.getStatus();
    const body = exception.getResponse();
    if (typeof body !== 'string' && !isStandard(body)) return { status, headers: {}, body };
    const message = typeof body === 'string' ? body : body.message;
    const occurrence =
      typeof message === 'string'
        ? { detail: message }
        : { parameters: { errors: message.map((detail) => ({ detail })) } };
    const named = Object.entries(PLATFORM_PROBLEMS).find(([, kind]) => kind.status === status);
    if (named !== undefined && status <= NAMED_STATUS_MAX)
      return this.answers.problem(named[0], occurrence);
    const { detail, parameters } = { detail: undefined, parameters: {}, ...occurrence };
    return {
      ...{ status, headers: { 'Content-Type': PROBLEM_MEDIA_TYPE } },
      body: {
        // Of which RFC 9457 says: no more than the status does.
        type: 'about:blank',
        title: STATUS_CODES[status] ?? 'Error',
        status,
        ...(detail !== undefined && { detail }),
        ...(status >= 500 && { outcome: 'unknown' }),
        ...parameters,
      },
    };
  }
}

function isStandard(body: object): body is Standard {
  return 'statusCode' in body && 'message' in body;
}
