import { assert } from '@holdfast/kernel';
import { RequestMethod, SetMetadata } from '@nestjs/common';
import { type DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { Feature } from '../feature/feature.js';

type Handler = () => unknown;

/** What is said of a handler: which of the values of the features it is for. */
export interface HandlerSubject {
  readonly name: string;
  readonly of: 'deciders' | 'projections';
  readonly subject: unknown;
}

const SUBJECT = 'holdfast:subject';
/** Where Nest keeps the method of a route, and what its handler takes. */
const METHOD = 'method';
const ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';
/** Of the kinds of arguments `@Res()` and `@Next()`: Nest then leaves the answer to the handler. */
const ANSWERING = /^[12]:/;
/** Of those of `@Req()`, `@Headers()`, `@Session()`, `@UploadedFile()`, `@HostParam()`, `@Ip()` and `@RawBody()`: what no hash of a request has. */
const UNHASHED = /^(0|6|7|8|9|10|11|12):/;
/** `@Render`, `@Redirect` and `@Sse`: what the handler's answer is made into. */
const ANSWERS = ['__renderTemplate__', '__redirect__', '__sse__'];

const METHODS = {
  deciders: [RequestMethod.POST, RequestMethod.PUT, RequestMethod.PATCH, RequestMethod.DELETE],
  projections: [RequestMethod.GET],
};

export const marksHandler = (subject: HandlerSubject): MethodDecorator =>
  SetMetadata(SUBJECT, subject);

const reflector = new Reflector();

export function subjectOf(handler: Handler): HandlerSubject {
  return reflector.get<HandlerSubject>(SUBJECT, handler);
}

/**
 * Finds before the log is opened what otherwise the first request would: a command that a GET would execute, a request that nobody would answer, one whose key would be that of another, and a decider or projection
 * that no feature has. Throws `AssertionFailed`.
 */
export function assertHandlers(discovery: DiscoveryService, features: readonly Feature[]): void {
  const scanner = new MetadataScanner();
  for (const { metatype } of discovery.getControllers()) {
    const prototype = (metatype as { prototype?: Record<string, Handler> } | null)?.prototype;
    if (prototype === undefined) continue;
    for (const key of scanner.getAllMethodNames(prototype)) {
      const handler = prototype[key];
      const marked = handler && reflector.get<HandlerSubject | undefined>(SUBJECT, handler);
      if (marked === undefined) continue;
      assertHandler(handler as Handler, marked, features);
      const taken = (Reflect.getMetadata(ARGUMENTS, metatype as object, key) ?? {}) as object;
      const passesOn = Reflect.getMetadata(PASSTHROUGH, metatype as object, key) === true;
      assert(
        passesOn || !Object.keys(taken).some((argument) => ANSWERING.test(argument)),
        `${marked.name} answers, so its handler takes no response but @Res({ passthrough: true })`,
      );
      assert(
        marked.of !== 'deciders' || !Object.keys(taken).some((argument) => UNHASHED.test(argument)),
        `${marked.name} compares a repeated key by path, query and body, so its handler takes @Param, @Query and @Body, and nothing else of the request`,
      );
    }
  }
}

function assertHandler(
  handler: Handler,
  { name, of, subject }: HandlerSubject,
  features: readonly Feature[],
): void {
  const method = reflector.get<RequestMethod | undefined>(METHOD, handler);
  const methods = METHODS[of].map((one) => RequestMethod[one]).join(', ');
  assert(
    method === undefined || METHODS[of].includes(method),
    `${name} stands on a route of ${methods}`,
  );
  assert(
    features.some((feature) => feature[of]?.some((one) => one === subject)),
    `a feature has what ${name} names: list it in the \`${of}\` of one that EventStoreModule.forFeature takes`,
  );
  assert(
    ANSWERS.every((one) => reflector.get<unknown>(one, handler) === undefined),
    `${name} answers, so it stands beside no @Render, @Redirect or @Sse`,
  );
}
