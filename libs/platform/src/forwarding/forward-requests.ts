import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Dispatcher, Pool } from 'undici';
import {
  type Outcome,
  ProblemException,
  type StreamLimits,
  StreamPlaces,
  breakOff,
  tellsItsEnd,
} from '@holdfast/nestjs/http';
import { CORRELATION_ID_HEADER } from '../http/correlation-id.js';
import type { HttpApplication } from '../http/http-application.js';
import { neverConnected } from './never-connected.js';
import { Places } from './places.js';

export interface ForwardedRoute {
  /** A route of Fastify: `/v1/*`, or `/v1/ledgers/:ledger/commands/:key`. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** Its answers may last, and are handed on as they come. They have connections of their own, so that they keep no command from the service. Default false. */
  readonly streams?: boolean;
}

export interface ForwardOptions {
  /** `http://127.0.0.1:7401` */
  readonly upstream: string;
  readonly routes: readonly ForwardedRoute[];
  /** How long the upstream may take to begin its answer, and be silent in the middle of it; in all it has twice as long. Default 30,000. */
  readonly answerMillisMax?: number;
  /** How many requests are with the upstream at once; default 128, as many as there are connections. */
  readonly connectionsMax?: number;
  /** Called when a connection to the upstream was made. */
  readonly onConnect?: () => void;
  /** How long a request may wait until the upstream has room for it. Default 5,000. */
  readonly waitMillisMax?: number;
  /** Of routes with `streams`. */
  readonly streamLimits?: StreamLimits;
}

const ANSWER_MILLIS_MAX = 30_000;
/** From the moment that a request has a connection to the last byte of its answer, whoever is slow: the client, the upstream or the network. */
const WHOLE_ANSWER_FACTOR = 2;
const WAIT_MILLIS_MAX = 5_000;
const WAITING_MAX = 1_024;
/** An answer that says that it is no longer than this is sent on when it is whole, so that one that breaks off is a problem and no half answer. */
const WHOLE_ANSWER_BYTES_MAX = 64 * 1024;
const CONNECT_MILLIS_MAX = 2_000;
const CONNECTIONS_MAX = 128;
/** Shorter than a server of ours keeps an idle connection, so that it never closes one that is just being used. */
const IDLE_MILLIS_MAX = 30_000;
/** How long a stream may be silent: far longer than its heart takes for a beat. */
const STREAM_SILENT_MILLIS_MAX = 60_000;

/**
 * Forwards requests to another service as they came, and its answers as they come, beside the application's own routes. Call it before
 * `listen`. A request is sent when all of it is here, so that an upload that is never finished takes no place at the service. Nothing is ever sent
 * twice: a command's fate is for its sender to ask about. An upstream that cannot be reached is the problem `storage-unavailable`: outcome `not-applied` when no connection was made, `unknown` when one broke. Every wait has an end: for a connection
 * (`not-applied`), for the beginning of the answer, for its next bytes, and for its end (`unknown`; an answer under way that is too long to be kept
 * is broken off).
 */
export function forwardRequests(application: HttpApplication, options: ForwardOptions): void {
  const { answerMillisMax = ANSWER_MILLIS_MAX, connectionsMax = CONNECTIONS_MAX } = options;
  const pool = new Pool(options.upstream, {
    connections: connectionsMax,
    pipelining: 1,
    keepAliveTimeout: IDLE_MILLIS_MAX,
    keepAliveMaxTimeout: IDLE_MILLIS_MAX,
    connectTimeout: CONNECT_MILLIS_MAX,
    headersTimeout: answerMillisMax,
    bodyTimeout: answerMillisMax,
  });
  if (options.onConnect !== undefined) pool.on('connect', options.onConnect);
  // Whatever waits for a connection waits here, and not in the pool, where a wait has no end.
  const places = new Places({
    placesMax: connectionsMax,
    waitingMax: WAITING_MAX,
    waitMillisMax: options.waitMillisMax ?? WAIT_MILLIS_MAX,
  });
  const upstream: Upstream = {
    pool,
    place: (_request, clientGone) => places.take(clientGone),
    limit: () => AbortSignal.timeout(WHOLE_ANSWER_FACTOR * answerMillisMax),
  };
  const streams = streamsUpstream(application, options);
  void application.fastify.register((instance, _options, registered) => {
    // In this context only: bodies are not understood here but handed on.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) =>
      parsed(null, body),
    );
    instance.addHook('onClose', async () => {
      await Promise.all([pool.destroy(), streams.pool.destroy()]);
    });
    for (const { path, methods, streams: isStream = false } of options.routes)
      instance.route({
        url: path,
        method: [...methods],
        config: { body: 'large' },
        handler: (request, reply) => forward(isStream ? streams : upstream, request, reply),
      });
    registered();
  });
}

interface Upstream {
  readonly pool: Pool;
  /** Resolves with what gives the place of the request back. */
  readonly place: (request: FastifyRequest, clientGone: AbortSignal) => Promise<() => void>;
  /** Fires when an answer has taken too long. */
  readonly limit: () => AbortSignal;
}

/** Nothing waits for a place here: what lasts gives none back soon. A stop ends all streams, and their clients come back. */
function streamsUpstream({ lifecycle }: HttpApplication, options: ForwardOptions): Upstream {
  const places = new StreamPlaces(options.streamLimits);
  const pool = new Pool(options.upstream, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: IDLE_MILLIS_MAX,
    keepAliveMaxTimeout: IDLE_MILLIS_MAX,
    connectTimeout: CONNECT_MILLIS_MAX,
    headersTimeout: options.answerMillisMax ?? ANSWER_MILLIS_MAX,
    bodyTimeout: STREAM_SILENT_MILLIS_MAX,
  });
  return {
    pool,
    // eslint-disable-next-line @typescript-eslint/require-await -- a refusal is a rejection, as where one waits
    place: async ({ socket }) => places.take(socket.remoteAddress ?? ''),
    limit: () => lifecycle.stopping,
  };
}

async function forward(
  upstream: Upstream,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const clientGone = new AbortController();
  reply.raw.once('close', () => clientGone.abort());
  try {
    const { statusCode, headers, body } = await askUpstream(upstream, request, clientGone.signal);
    closeIfUnread(request, reply);
    void reply.code(statusCode).headers(endToEnd(headers));
    if (body instanceof Readable && headers['content-length'] === undefined) {
      body.once('error', () => breakOff(reply.raw));
      // It says how far the answer goes, to a client that cannot know whether all of it came.
      if (!tellsItsEnd(reply.raw)) void reply.removeHeader(POSITION_HEADER);
    }
    return await reply.send(body);
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

interface UpstreamAnswer extends Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> {
  readonly body: Readable | Buffer;
}

/** The answer, whole or under way. It has its place until its last byte was read. */
async function askUpstream(
  { pool, place, limit }: Upstream,
  request: FastifyRequest,
  clientGone: AbortSignal,
): Promise<UpstreamAnswer> {
  const giveBack = await place(request, clientGone);
  const signal = AbortSignal.any([clientGone, limit()]);
  try {
    const { statusCode, headers, body } = await sendUpstream(pool, request, signal);
    const length = Number(headers['content-length'] ?? Infinity);
    if (length <= WHOLE_ANSWER_BYTES_MAX) {
      const whole = Buffer.from(await body.arrayBuffer().catch(brokenOff(request)));
      giveBack();
      // Of a stream Fastify does not say that its length is 0, which would not be what GET is answered.
      return { statusCode, headers, body: request.method === 'HEAD' ? Readable.from([]) : whole };
    }
    body.once('close', giveBack);
    return { statusCode, headers, body };
  } catch (error) {
    giveBack();
    throw error;
  }
}

async function sendUpstream(
  pool: Pool,
  request: FastifyRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  try {
    return await pool.request({
      method: request.method,
      path: request.raw.url ?? '/',
      headers: { ...sentOn(request), [CORRELATION_ID_HEADER]: request.id },
      body: Buffer.isBuffer(request.body) ? request.body : null,
      signal,
    });
  } catch (error) {
    throw unreachable(error, request);
  }
}

/** How long the body is, it says itself. */
function sentOn({ headers }: FastifyRequest): Record<string, string | string[]> {
  return endToEnd({ ...headers, 'content-length': undefined });
}

function brokenOff(request: FastifyRequest): (error: unknown) => never {
  return (error) => {
    throw unreachable(error, request);
  };
}

function unreachable(error: unknown, { method }: FastifyRequest): ProblemException {
  return new ProblemException('storage-unavailable', {
    detail: 'the service that answers this request cannot be reached',
    outcome: outcomeOf(error, method),
    cause: error,
  });
}

const POSITION_HEADER = 'holdfast-position';

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

function outcomeOf(error: unknown, method: string): Outcome {
  if (method === 'GET' || method === 'HEAD') return 'not-applied';
  return neverConnected(error) ? 'not-applied' : 'unknown';
}
