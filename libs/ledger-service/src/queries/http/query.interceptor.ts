import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { ServiceLifecycle } from '@holdfast/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, mergeMap } from 'rxjs';
import { shownEtagOf } from '../../shared/etag.js';
import type { LedgerQuery } from '../ledger-query.js';
import { LedgerReader, type QueryAnswer } from '../ledger-reader.js';
import { preferredWaitSeconds } from '@holdfast/nestjs/http';

/** Turns the query that a controller returned into its answer: waits, asks, and says in the header of which moment it is. */
@Injectable()
export class QueryInterceptor implements NestInterceptor<LedgerQuery<unknown>, unknown> {
  constructor(
    private readonly reader: LedgerReader,
    private readonly lifecycle: ServiceLifecycle,
  ) {}

  intercept(
    context: ExecutionContext,
    next: CallHandler<LedgerQuery<unknown>>,
  ): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(mergeMap((query) => this.answer(query, request, reply)));
  }

  private async answer(
    query: LedgerQuery<unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    const leaving = new AbortController();
    // A client that has gone need not be waited for, and a stop waits for no position.
    const leave = () => leaving.abort();
    const { stopping } = this.lifecycle;
    reply.raw.once('close', leave);
    stopping.addEventListener('abort', leave, { once: true });
    if (stopping.aborted) leave();
    try {
      const waitSeconds = preferredWaitSeconds(request.headers.prefer);
      const answer = await this.reader.answer(query, { waitSeconds, signal: leaving.signal });
      if (waitSeconds !== undefined)
        reply.header('Preference-Applied', `wait=${this.reader.appliedWaitSeconds(waitSeconds)}`);
      return bodyOf(answer, request, reply);
    } finally {
      reply.raw.off('close', leave);
      stopping.removeEventListener('abort', leave);
    }
  }
}

/** RFC 9110: a client that has this version already gets 304 and no body. */
function bodyOf(
  { found, position }: QueryAnswer,
  request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  // Whoever keeps an answer must ask again whether it still holds.
  reply.header('Cache-Control', 'no-cache');
  if (position !== undefined) reply.header('Holdfast-Position', position);
  if (found.version === undefined) return jsonOf(found.body, reply);
  const etag = shownEtagOf(found.version, found.body);
  reply.header('ETag', etag);
  if (!matches(request.headers['if-none-match'], etag)) return jsonOf(found.body, reply);
  reply.status(304);
  return undefined;
}

/** It is text already: making it again would take this thread as long as the query took another. */
function jsonOf(body: Uint8Array, reply: FastifyReply): Buffer {
  reply.header('Content-Type', 'application/json; charset=utf-8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** `If-None-Match` compares weakly, so a proxy's `W/` does not matter. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const candidates = ifNoneMatch
    .split(',')
    .map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes('*') || candidates.includes(etag);
}
