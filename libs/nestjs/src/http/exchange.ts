import type { ServerResponse } from 'node:http';
import type { ExecutionContext, HttpServer } from '@nestjs/common';
import type { Headers } from './command-headers.js';
import type { HttpAnswer } from './http-answers.js';

/** Of a request and its response what Express and Fastify have in common. */
export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Headers;
    /** As it was parsed. Undefined where there was none, and where nobody has read it. */
    readonly body: unknown;
  };
  readonly query: URLSearchParams;
  readonly response: { readonly statusCode: number };
  /** The address that it came from: of a proxy, if there is one. */
  readonly client: string;
  /** The answer as Node knows it. */
  readonly outgoing: ServerResponse;
}

interface Connected {
  readonly readableDidRead?: boolean;
  readonly socket?: { readonly remoteAddress?: string | undefined };
}

interface RawRequest extends Connected {
  readonly method: string;
  readonly url: string;
  /** As it arrived, where a router has cut the other. */
  readonly originalUrl?: string;
  readonly headers: Headers;
  readonly body?: unknown;
  /** Whether anybody has read the body: on Express the request itself, on Fastify beside it. */
  readonly raw?: Connected;
}

export function exchangeOf(context: ExecutionContext): Exchange {
  const http = context.switchToHttp();
  const raw = http.getRequest<RawRequest>();
  const { method, url, originalUrl = url, headers } = raw;
  // A parser that passes a body by may leave an empty object.
  const connected = raw.raw ?? raw;
  const body = connected.readableDidRead === false ? undefined : raw.body;
  const [path = '', ...query] = originalUrl.split('?');
  const response = http.getResponse<Exchange['response'] & { readonly raw?: ServerResponse }>();
  return {
    request: { method, path, headers, body },
    query: new URLSearchParams(query.join('?')),
    response,
    client: connected.socket?.remoteAddress ?? '',
    outgoing: response.raw ?? (response as unknown as ServerResponse),
  };
}

const RETRY_AFTER_SECONDS = '1';

/** Sets status and header fields. What the handler returns is the body as text, so that every byte of an answer is ours. */
export function respond(
  adapter: Pick<HttpServer, 'setHeader' | 'status'>,
  response: object,
  { status, headers, body }: HttpAnswer,
  { aborted: isStopping }: AbortSignal,
): string {
  adapter.status(response, status);
  const all = {
    'Content-Type': 'application/json; charset=utf-8',
    ...((status === 429 || status === 503) && { 'Retry-After': RETRY_AFTER_SECONDS }),
    // A server that closes waits for each connection that its client keeps.
    ...(isStopping && { Connection: 'close' }),
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) adapter.setHeader(response, name, value);
  return JSON.stringify(body);
}
