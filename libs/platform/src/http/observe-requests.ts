import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';
import type { Logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { pathOf } from './problem.filter.js';
import { CORRELATION_ID_HEADER } from './correlation-id.js';
import type { RequestsInFlight } from './requests-in-flight.js';

const DURATION_BUCKETS_SECONDS = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const MICROS_A_MILLI = 1_000;
const MILLIS_A_SECOND = 1_000;

/** Balances and refusals are for who asked: nobody on the way keeps them. And what is JSON is not taken for anything else. */
export const UNLESS_SAID_OTHERWISE = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export interface RequestObservers {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: ServiceLifecycle;
  readonly inFlight: RequestsInFlight;
}

/** One log line and one measurement for every request, also for those whose client went away before the answer. */
export function observeRequests(fastify: FastifyInstance, observers: RequestObservers): void {
  const { logger, metrics, lifecycle, inFlight } = observers;
  const durations = metrics.histogram({
    name: 'holdfast_http_request_seconds',
    help: 'From the first byte of the request to the last byte of the answer, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_SECONDS,
  });
  metrics.gaugeOf(
    'holdfast_http_requests_in_flight',
    'Requests taken and not yet answered.',
    () => inFlight.count,
  );
  fastify.addHook('onRequest', (request, reply, done) => {
    inFlight.count++;
    void reply.header(CORRELATION_ID_HEADER, request.id).headers(UNLESS_SAID_OTHERWISE);
    if (lifecycle.unavailableBecause !== undefined) void reply.header('connection', 'close');
    // Not onResponse: it is never called for an answer that was cut off.
    reply.raw.once('close', () => {
      inFlight.count--;
      const route = request.routeOptions.url ?? 'none';
      const { method } = request;
      const status = reply.raw.statusCode;
      durations.observe({ method, route, status }, reply.elapsedTime / MILLIS_A_SECOND);
      if (logger.isLevelEnabled('info')) logger.info(line(request, reply, route));
    });
    done();
  });
}

function line(request: FastifyRequest, reply: FastifyReply, route: string): object {
  const key = request.headers['idempotency-key'];
  return {
    method: request.method,
    route,
    path: pathOf(request.url),
    status: reply.raw.statusCode,
    durationMicros: Math.round(reply.elapsedTime * MICROS_A_MILLI),
    correlationId: request.id,
    ...(key === undefined ? {} : { key }),
    ...(reply.raw.writableFinished ? {} : { aborted: true }),
  };
}
