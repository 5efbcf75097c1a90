import type { IncomingMessage } from 'node:http';
import { AssertionFailed } from '@holdfast/kernel';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptJsonBodiesOnly } from './json-body-parser.js';
import { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';
import type { Logger } from '../logging/logger.js';
import { NestLogger } from '../logging/nest-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { PlatformModule } from './platform.module.js';
import {
  type CodedErrorProblems,
  PLATFORM_PROBLEMS,
  ProblemCatalogue,
  type ProblemKinds,
} from '@holdfast/nestjs/http';
import { ProblemFilter } from './problem.filter.js';
import { assertParametersValidated } from '../validation/assert-parameters-validated.js';
import { StrictValidationPipe } from '../validation/strict-validation.pipe.js';
import { UndeclaredQueryGuard } from '../validation/undeclared-query.guard.js';
import { answerClientError } from './answer-client-error.js';
import {
  BODIES_BYTES_MAX,
  UPLOADS_MAX,
  UPLOAD_IDLE_MILLIS_MAX,
  limitBodies,
} from './bodies-in-flight.js';
import { CORRELATION_ID_HEADER, correlationIdOf } from './correlation-id.js';
import { asUnusablePlace } from './listening.js';
import { endByNewline } from './end-by-newline.js';
import { serveFrontPage } from './front-page.js';
import { KnownRoutes } from './known-routes.js';
import { UNLESS_SAID_OTHERWISE, observeRequests } from './observe-requests.js';
import { type OpenApiOptions, serveOpenApi } from './open-api.js';
import { RequestsInFlight } from './requests-in-flight.js';

export interface HttpApplicationOptions {
  readonly logger: Logger;
  /** The name of this API in its log lines, if the process has several. Nest's own lines belong to the process. */
  readonly api?: string;
  /** It is made within another Nest application of the process, whose logger stays Nest's. */
  readonly isGuest?: boolean;
  /** Passed by `runService`; created by default, as in tests. */
  readonly lifecycle?: ServiceLifecycle;
  /** The service's problems, besides those of the platform. */
  readonly problems?: ProblemKinds;
  readonly codedErrors?: CodedErrorProblems;
  /** The largest body of a route with `LargeBody`; default 4 MiB. Other routes accept 512 KiB. */
  readonly bodyBytesMax?: number;
  /** Bytes of all bodies in flight together; default 64 MiB. */
  readonly bodiesBytesMax?: number;
  /** Bodies in transit at once; default 1,024. */
  readonly uploadsMax?: number;
  /** How long a body in transit may stall; default 10,000. */
  readonly uploadIdleMillisMax?: number;
  /** How long a client may take to send a request, half of it for the header fields; default 60,000. Checked ten times in that period. */
  readonly requestMillisMax?: number;
  /** Absent: no `/openapi.json` and no `/docs`. */
  readonly openApi?: OpenApiOptions;
}

const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** The largest body in this time is half a megabit in a second. */
const REQUEST_MILLIS_MAX = 60_000;
const REQUEST_LOOKS = 10;
/** How long a connection may be idle; longer than load balancers keep theirs, so that it is they who close. */
const KEEP_ALIVE_MILLIS = 72_000;
/** Longer names than any resource has, so that validation and not the router refuses them. */
const PATH_PARAMETER_CHARACTERS_MAX = 2_048;

/**
 * Creates a Nest application on Fastify with everything that a service needs: problem+json, strict validation, logs, metrics, health, correlation ids
 * and OpenAPI.
 *
 * @throws `AssertionFailed`: the parameters of a handler would not be validated.
 */
export async function createHttpApplication(
  root: Type | DynamicModule,
  options: HttpApplicationOptions,
): Promise<HttpApplication> {
  const { codedErrors = {}, bodyBytesMax = BODY_BYTES_MAX } = options;
  const logger =
    options.api === undefined ? options.logger : options.logger.child({ api: options.api });
  const { requestMillisMax = REQUEST_MILLIS_MAX } = options;
  const lifecycle = options.lifecycle ?? new ServiceLifecycle();
  const catalogue = new ProblemCatalogue(PLATFORM_PROBLEMS, options.problems ?? {});
  const routes = new KnownRoutes();
  const filter = new ProblemFilter(catalogue, codedErrors, logger, routes);
  const metrics = new Metrics();
  const ownLogger = options.isGuest === true ? {} : { logger: new NestLogger(options.logger) };
  const nest = await NestFactory.create<NestFastifyApplication>(
    {
      module: HttpRootModule,
      imports: [PlatformModule.forRoot({ logger, lifecycle, catalogue, metrics }), root],
    },
    fastifyAdapter({ bodyBytesMax, requestMillisMax }, catalogue, filter),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
    {
      bodyParser: false,
      ...ownLogger,
      abortOnError: false,
      forceCloseConnections: true,
    },
  );
  assertParametersValidated(nest.get(ModulesContainer));
  nest.useGlobalFilters(filter);
  nest.useGlobalGuards(new UndeclaredQueryGuard());
  nest.useGlobalPipes(new StrictValidationPipe());
  const fastify = nest.getHttpAdapter().getInstance();
  const inFlight = new RequestsInFlight();
  acceptJsonBodiesOnly(fastify);
  endByNewline(fastify);
  fastify.addHook('onRoute', ({ method, url }) => routes.add(method, url));
  limitBodies(fastify, {
    bodyBytesMax,
    bodiesBytesMax: options.bodiesBytesMax ?? BODIES_BYTES_MAX,
    uploadsMax: options.uploadsMax ?? UPLOADS_MAX,
    uploadIdleMillisMax: options.uploadIdleMillisMax ?? UPLOAD_IDLE_MILLIS_MAX,
    unreadMillisMax: requestMillisMax,
  });
  observeRequests(fastify, { logger, metrics, lifecycle, inFlight });
  serveFrontPage(fastify, {
    title: options.openApi?.title ?? 'Holdfast',
    isDescribed: options.openApi !== undefined,
  });
  if (options.openApi !== undefined) serveOpenApi(nest, options.openApi);
  return new HttpApplication(nest, lifecycle, inFlight);
}

/** A running HTTP service. Made by `createHttpApplication`. */
export class HttpApplication {
  constructor(
    readonly nest: NestFastifyApplication,
    readonly lifecycle: ServiceLifecycle,
    private readonly inFlight: RequestsInFlight,
  ) {}

  get fastify(): FastifyInstance {
    return this.nest.getHttpAdapter().getInstance();
  }

  /**
   * Starts serving, on a free port if `port` is 0. Returns the address: `http://127.0.0.1:7400`.
   *
   * @throws `PORT_IN_USE`, `PORT_UNUSABLE`, which name the variable.
   */
  async listen(port: number, host = '127.0.0.1', variable = 'the port'): Promise<string> {
    try {
      await this.nest.listen(port, host);
    } catch (error) {
      throw asUnusablePlace(error, { port, host, variable });
    }
    return this.nest.getUrl();
  }

  /** Accepts no more connections and waits until every request is answered, at most `graceMillis`. True if none is left. */
  async drain(graceMillis: number): Promise<boolean> {
    const { server } = this.fastify;
    if (server.listening) server.close();
    return this.inFlight.none(graceMillis);
  }

  /** Turns readiness red, answers requests in flight within the grace, then closes every module. */
  async stop(graceMillis: number): Promise<void> {
    this.lifecycle.beginStop();
    await this.drain(graceMillis);
    await this.nest.close();
  }
}

/** Imports the platform's module and the service's. */
@Module({})
class HttpRootModule {}

function fastifyAdapter(
  limits: { readonly bodyBytesMax: number; readonly requestMillisMax: number },
  catalogue: ProblemCatalogue,
  filter: ProblemFilter,
): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestMillisMax,
    http: {
      // Node takes the longer of the two for the whole request, whichever it is.
      headersTimeout: limits.requestMillisMax / 2,
      connectionsCheckingInterval: limits.requestMillisMax / REQUEST_LOOKS,
    },
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARACTERS_MAX },
    trustProxy: false,
    // Every request has one line, written by observeRequests; Nest has its own logger.
    logger: false,
    genReqId: (request: IncomingMessage) => correlationIdOf(request),
    clientErrorHandler: (error, socket) => answerClientError(catalogue, error, socket),
    // For a path that cannot be decoded: it is answered before any hook has run.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      void reply.header(CORRELATION_ID_HEADER, request.id).headers(UNLESS_SAID_OTHERWISE);
      filter.answer(error, request, reply);
    },
    // No Nest middleware is used, and each request would pay for the plugin that runs it.
    skipMiddie: true,
    multipart: false,
    // No route has a schema of Fastify's: without these, each start would load two compilers of schemas, 115 files of them.
    schemaController: {
      compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas },
    },
  });
}

function noSchemas(): never {
  throw new AssertionFailed('bodies are validated by their DTOs, and no route has a schema');
}
