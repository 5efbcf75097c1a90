import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ProblemException } from '../problems/problem.exception.js';

/** The largest body of a route that does not say otherwise: far more than any single command needs. */
export const ORDINARY_BODY_BYTES_MAX = 512 * 1024;
/** What all bodies that are being received or answered may hold, for one application. */
export const BODIES_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 1;

export interface BodyLimits {
  /** The largest body of a route with `LargeBody`. */
  readonly bodyBytesMax: number;
  readonly bodiesBytesMax: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `large`: up to `bodyBytesMax`. `forwarded`: so too, and handed on as it comes, so that no more than a piece of it is ever held. */
    body?: 'large' | 'forwarded';
  }
}

/** For a route that takes bodies up to the configured maximum. */
export function LargeBody(): MethodDecorator & ClassDecorator {
  return RouteConfig({ body: 'large' });
}

/**
 * Limits each body by its route, and all of them together: uploads that are never finished hold what has arrived of them, however many there are. Beyond
 * the limit a request is answered 503, outcome `not-applied`, and its connection ends. What was received counts until the request is answered.
 */
export function limitBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  let held = 0;
  fastify.addHook('onRoute', (route) => {
    const isOrdinary = route.config?.body === undefined;
    route.bodyLimit ??= isOrdinary
      ? Math.min(ORDINARY_BODY_BYTES_MAX, limits.bodyBytesMax)
      : limits.bodyBytesMax;
  });
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    if (!hasBody(request) || request.routeOptions.config.body === 'forwarded') {
      done(null, payload);
      return;
    }
    let received = 0;
    const onData = (chunk: Buffer): void => {
      received += chunk.byteLength;
      held += chunk.byteLength;
      if (held <= limits.bodiesBytesMax) return;
      payload.off('data', onData);
      void reply.header('connection', 'close');
      // Not `destroy`: the connection is still needed for the answer.
      payload.emit('error', tooManyBytes());
    };
    payload.on('data', onData);
    reply.raw.once('close', () => {
      payload.off('data', onData);
      held -= received;
    });
    done(null, payload);
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function tooManyBytes(): ProblemException {
  return new ProblemException('too-many-uploads', {
    outcome: 'not-applied',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
