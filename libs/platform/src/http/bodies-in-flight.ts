import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ProblemException } from '@holdfast/nestjs/http';

/** The largest body of a route that does not say otherwise: far more than any single command needs. */
export const ORDINARY_BODY_BYTES_MAX = 512 * 1024;
/** What all bodies that are being received or answered may hold, for one application. */
export const BODIES_BYTES_MAX = 64 * 1024 * 1024;
/** How many bodies may be under way at once: far more than clients that send what they begin have. */
export const UPLOADS_MAX = 1_024;
/** How long nothing may come of a body that is under way. */
export const UPLOAD_IDLE_MILLIS_MAX = 10_000;
const RETRY_AFTER_SECONDS = 1;

export interface BodyLimits {
  /** The largest body of a route with `LargeBody`. */
  readonly bodyBytesMax: number;
  readonly bodiesBytesMax: number;
  readonly uploadsMax: number;
  readonly uploadIdleMillisMax: number;
  /** How long a client may take to read the answer to a body. */
  readonly unreadMillisMax: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Up to `bodyBytesMax`. */
    body?: 'large';
  }
}

/** For a route that takes bodies up to the configured maximum. */
export function LargeBody(): MethodDecorator & ClassDecorator {
  return RouteConfig({ body: 'large' });
}

/**
 * Limits each body by its route, and all of them together, in bytes and in number: uploads that are never finished hold what has arrived of them, however many there are. Beyond
 * a limit a request is answered 503, outcome `not-applied`; one of whose body nothing comes any more, 408. Then its connection ends; where the answer
 * is made already, no other is. What was received counts until the request is answered; whoever does not read the answer in time loses the connection.
 */
export function limitBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  let held = 0;
  let uploads = 0;
  fastify.addHook('onRoute', (route) => {
    const isOrdinary = route.config?.body === undefined;
    route.bodyLimit ??= isOrdinary
      ? Math.min(ORDINARY_BODY_BYTES_MAX, limits.bodyBytesMax)
      : limits.bodyBytesMax;
  });
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (!hasBody(request)) {
      done(null, payload);
      return;
    }
    if (uploads >= limits.uploadsMax) {
      void reply.header('connection', 'close');
      done(tooManyUploads());
      return;
    }
    uploads++;
    let received = 0;
    let underWay = true;
    const arrived = (): void => {
      if (!underWay) return;
      underWay = false;
      uploads--;
      clearTimeout(idle);
      payload.off('data', onData);
    };
    const refuse = (problem: ProblemException): void => {
      arrived();
      void reply.header('connection', 'close');
      // Who reads the body answers. Not `destroy`: the connection is still needed for the answer.
      if (payload.listenerCount('error') > 0) payload.emit('error', problem);
      // Nobody reads the body of a GET, nor one that was refused before it came.
      else if (!reply.sent && !reply.raw.headersSent) void reply.send(problem);
      else request.raw.destroy();
    };
    const idle = setTimeout(() => refuse(silent()), limits.uploadIdleMillisMax);
    const onData = (chunk: Buffer): void => {
      received += chunk.byteLength;
      held += chunk.byteLength;
      idle.refresh();
      if (held > limits.bodiesBytesMax) refuse(tooManyUploads());
    };
    payload.on('data', onData);
    payload.once('end', arrived);
    reply.raw.once('close', () => {
      arrived();
      held -= received;
    });
    done(null, payload);
  });
  fastify.addHook('onSend', (request, reply, answer, done) => {
    if (hasBody(request)) limitAnswer(request, reply, limits.unreadMillisMax);
    done(null, answer);
  });
}

/** Nobody else gives up an answer that is made and never read. */
function limitAnswer({ raw }: FastifyRequest, reply: FastifyReply, millisMax: number): void {
  const unread = setTimeout(() => raw.socket.destroy(), millisMax);
  reply.raw.once('close', () => clearTimeout(unread));
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function tooManyUploads(): ProblemException {
  return new ProblemException('too-many-uploads', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function silent(): ProblemException {
  return new ProblemException('request-timeout', {
    detail: 'the rest of the body did not come',
  });
}
