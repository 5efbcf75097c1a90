import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KnownRoutes } from './known-routes.js';
import type { Logger } from '../logging/logger.js';
import {
  type CodedErrorProblems,
  PROBLEM_MEDIA_TYPE,
  type ProblemCatalogue,
  type ProblemAnswer,
} from '@holdfast/nestjs/http';
import { problemAnswer } from '../problems/problem-answer.js';
import { RefusalsLog } from '../problems/refusals-log.js';

const RETRY_AFTER_SECONDS = 1;
const UNFORESEEN: ProblemAnswer = { slug: 'internal-error' };

/** Turns everything thrown on the way to an answer into problem+json. The only one of its kind: statuses and retries are told here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly refusals: RefusalsLog;

  constructor(
    private readonly catalogue: ProblemCatalogue,
    private readonly codedErrors: CodedErrorProblems,
    private readonly logger: Logger,
    private readonly routes: Pick<KnownRoutes, 'methodsAt'>,
  ) {
    this.refusals = new RefusalsLog(logger);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    // Whoever has not sent the whole request and left is told nothing, and did not meet a fault of ours.
    if (hasLeft(request)) {
      reply.hijack();
      return;
    }
    const thrownAs = problemAnswer(thrown, this.codedErrors);
    const named = this.methodNotAllowed(thrownAs, request) ?? thrownAs;
    // A slug that no table has is a bug of the thrower, and answered as one.
    const answer = this.catalogue.find(named.slug) === undefined ? UNFORESEEN : named;
    const { status } = this.catalogue.kind(answer.slug);
    // Of 5xx, 503 is what the tables foresee: a passing state of the whole service, and no fault met by this request.
    if (status === 503) this.refusals.refused(thrown, answer.slug);
    else if (status >= 500) this.log(thrown, named, request);
    if (!reply.sent && !reply.raw.headersSent) this.send(answer, status, request, reply);
    // An answer that was under way must be seen to be broken: nothing may look like its end.
    else if (!reply.raw.writableEnded) reply.raw.destroy();
  }

  /** No route fits the request, but some would with another method (RFC 9110, 15.5.6). */
  private methodNotAllowed(
    { slug }: ProblemAnswer,
    { is404, method, url }: FastifyRequest,
  ): ProblemAnswer | undefined {
    if (!is404 || slug !== 'not-found') return undefined;
    const methods = this.routes.methodsAt(pathOf(url));
    // One that takes the method was refused for its path: a name that is too long, or cannot be decoded.
    if (methods.length === 0 || methods.includes(method)) return undefined;
    return { slug: 'method-not-allowed', headers: { allow: methods.join(', ') } };
  }

  private send(
    answer: ProblemAnswer,
    status: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const { slug, headers = {}, retryAfterSeconds, ...occurrence } = answer;
    const instance = occurrence.instance ?? pathOf(request.url);
    const retryAfter =
      retryAfterSeconds ?? (status === 429 || status === 503 ? RETRY_AFTER_SECONDS : undefined);
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    // As bytes, because Fastify adds a charset to texts, which JSON does not have.
    void reply
      .code(status)
      .headers(headers)
      .header('content-type', PROBLEM_MEDIA_TYPE)
      .send(
        Buffer.from(JSON.stringify(this.catalogue.describe(slug, { ...occurrence, instance }))),
      );
  }

  private log(thrown: unknown, answer: ProblemAnswer, request: FastifyRequest): void {
    const { method, id } = request;
    this.logger.error(
      { err: thrown, problem: answer.slug, method, path: pathOf(request.url), correlationId: id },
      'a request failed',
    );
  }
}

/** The connection ended before the request did. */
function hasLeft({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}

export function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
