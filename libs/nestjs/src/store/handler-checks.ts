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
/** Where Nest keeps the method of a route. */
const METHOD = 'method';

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
 * Finds before the log is opened what otherwise the first request would: a command that a GET would execute, and a decider or projection that no feature has. Throws
 * `AssertionFailed`.
 */
export function assertHandlers(discovery: DiscoveryService, features: readonly Feature[]): void {
  const scanner = new MetadataScanner();
  for (const { metatype } of discovery.getControllers()) {
    const prototype = (metatype as { prototype?: Record<string, Handler> } | null)?.prototype;
    if (prototype === undefined) continue;
    for (const name of scanner.getAllMethodNames(prototype))
      assertHandler(prototype[name], features);
  }
}

function assertHandler(handler: Handler | undefined, features: readonly Feature[]): void {
  if (handler === undefined) return;
  const marked = reflector.get<HandlerSubject | undefined>(SUBJECT, handler);
  if (marked === undefined) return;
  const { name, of, subject } = marked;
  const method = reflector.get<RequestMethod | undefined>(METHOD, handler);
  const methods = METHODS[of].map((one) => RequestMethod[one]).join(', ');
  assert(
    method === undefined || METHODS[of].includes(method),
    `${name} stands on a route of ${methods}`,
  );
  assert(
    features.some((feature) => feature[of]?.some((one) => one === subject)),
    `a feature has what ${name} names`,
  );
}
