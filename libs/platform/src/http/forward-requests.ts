import type { IncomingHttpHeaders } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { errorCode } from '@holdfast/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Dispatcher, Pool } from 'undici';
import type { Outcome } from '../problems/problem-details.js';
import { ProblemException } from '../problems/problem.exception.js';
import { CORRELATION_ID_HEADER } from './correlation-id.js';
import type { HttpApplication } from './http-application.js';

export interface ForwardedRoute {
  /** A route of Fastify: `/v1/*`, or `/v1/ledgers/:ledger/commands/:key`. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
}

export interface ForwardOptions {
  /** `http://127.0.0.1:7401` */
  readonly upstream: string;
  readonly routes: readonly ForwardedRoute[];
  /** How long the upstream may take to begin its answer. Default 30,000. */
  readonly answerMillisMax?: number;
}

const ANSWER_MILLIS_MAX = 30_000;
const CONNECT_MILLIS_MAX = 2_000;
const CONNECTIONS_MAX = 128;
/** Shorter than a server of ours keeps an idle connection, so that it never closes one that is just being used. */
const IDLE_MILLIS_MAX = 30_000;

/**
 * Forwards requests to another service as they came, and its answers as they come, beside the application's own routes. Call it before
 * `listen`. Nothing is ever sent twice: a command's fate is for its sender to ask about. An upstream that cannot be reached is the
 * problem `storage-unavailable`: outcome `not-applied` when no connection was made, `unknown` when one broke.
 */
export function forwardRequests(application: HttpApplication, options: ForwardOptions): void {
  const pool = new Pool(options.upstream, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    keepAliveTimeout: IDLE_MILLIS_MAX,
    keepAliveMaxTimeout: IDLE_MILLIS_MAX,
    connectTimeout: CONNECT_MILLIS_MAX,
    headersTimeout: options.answerMillisMax ?? ANSWER_MILLIS_MAX,
    // An answer may be a stream of events that is silent for long.
    bodyTimeout: 0,
  });
  void application.fastify.register((instance, _options, registered) => {
    // In this context only: bodies are not read here but handed on.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    instance.addHook('onClose', () => pool.destroy());
    for (const { path, methods } of options.routes)
      instance.route({
        url: path,
        method: [...methods],
        handler: (request, reply) => forward(pool, request, reply),
      });
    registered();
  });
}

async function forward(
  pool: Pool,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const clientGone = new AbortController();
  reply.raw.once('close', () => clientGone.abort());
  try {
    const answer = await askUpstream(pool, request, clientGone.signal);
    closeIfUnread(request, reply);
    return await reply.code(answer.statusCode).headers(endToEnd(answer.headers)).send(answer.body);
  } catch (error) {
    // Nobody is left to be told.
    if (clientGone.signal.aborted) return reply.hijack();
    closeIfUnread(request, reply);
    throw error;
  }
}

/** Answered before all of the request was read: what is still under way must not be taken for the next request. */
function closeIfUnread(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.raw.complete && !reply.raw.headersSent) void reply.header('connection', 'close');
}

async function askUpstream(
  pool: Pool,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  try {
    return await pool.request({
      method: request.method,
      path: request.raw.url ?? '/',
      headers: { ...endToEnd(request.headers), [CORRELATION_ID_HEADER]: request.id },
      body: bodyOf(request),
      signal,
    });
  } catch (error) {
    if (error instanceof ProblemException) throw error;
    throw new ProblemException('storage-unavailable', {
      detail: 'the service that answers this request cannot be reached',
      outcome: outcomeOf(error, request.method),
      cause: error,
    });
  }
}

/** Header fields that speak about one connection (RFC 9110, 7.6.1), and `Expect`, which the server has already answered. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
];

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return Object.fromEntries(
    Object.entries(headers).filter(
      (field): field is [string, string | string[]] =>
        field[1] !== undefined && !dropped.has(field[0]),
    ),
  );
}

/** The body as it arrives, limited as if it were read here; null if the request has none. */
function bodyOf(request: FastifyRequest): Readable | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const { bodyLimit } = request.routeOptions;
  if (encoding !== undefined) return request.raw.pipe(limited(bodyLimit));
  if (Number(length ?? 0) > bodyLimit) throw new ProblemException('too-large');
  return Number(length ?? 0) > 0 ? request.raw : null;
}

function limited(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) done(new ProblemException('too-large'));
      else done(null, chunk);
    },
  });
}

/** With these no connection was made, so nothing of the request has left this process. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function outcomeOf(error: unknown, method: string): Outcome {
  if (method === 'GET' || method === 'HEAD') return 'not-applied';
  return NEVER_CONNECTED.has(errorCode(error) ?? '') ? 'not-applied' : 'unknown';
}
