import { assert } from '@holdfast/kernel';
import { METHOD_METADATA, ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { compileValidator } from './compile-validator.js';
import type { DtoClass } from './nested.js';

type ControllerClass = new (...dependencies: never[]) => object;

const VALIDATED_PARTS = new Map<number, string>([
  [RouteParamtypes.BODY, '@Body'],
  [RouteParamtypes.QUERY, '@Query'],
  [RouteParamtypes.PARAM, '@Param'],
]);

/**
 * Looks at every handler of an application. Throws `AssertionFailed` for a `@Body`, `@Query` or `@Param` parameter that would
 * not be validated: with `import type`, an interface or a union, the class is gone at run time and Nest silently lets everything pass.
 */
export function assertParametersValidated(modules: ModulesContainer): void {
  for (const { controllers } of modules.values())
    for (const { metatype } of controllers.values())
      if (typeof metatype === 'function') assertControllerValidated(metatype as ControllerClass);
}

function assertControllerValidated(controller: ControllerClass): void {
  const prototype = controller.prototype as Readonly<Record<string, object>>;
  for (const name of new MetadataScanner().getAllMethodNames(prototype)) {
    const handler = prototype[name];
    if (handler === undefined || !Reflect.hasMetadata(METHOD_METADATA, handler)) continue;
    const types = Reflect.getMetadata('design:paramtypes', prototype, name) as
      unknown[] | undefined;
    for (const { part, index, data } of validatedParameters(controller, name))
      assertValidated(`${controller.name}.${name}, ${part}`, part, types?.[index], data);
  }
}

interface RouteParameter {
  readonly part: string;
  readonly index: number;
  /** The one name that is taken out of the part, `@Param('id')`. */
  readonly data: unknown;
}

function validatedParameters(controller: ControllerClass, method: string): RouteParameter[] {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, method) ??
    {}) as Readonly<Record<string, { readonly index: number; readonly data?: unknown }>>;
  return Object.entries(parameters).flatMap(([key, { index, data }]) => {
    const part = VALIDATED_PARTS.get(Number(key.split(':')[0]));
    return part === undefined ? [] : [{ part, index, data }];
  });
}

const UNVALIDATED: ReadonlySet<unknown> = new Set([
  undefined,
  Object,
  Function,
  Array,
  String,
  Number,
  Boolean,
  Date,
  Map,
  Set,
  Promise,
]);

function assertValidated(place: string, part: string, type: unknown, data: unknown): void {
  // A path parameter is text whatever a client does; its handler says what texts it takes.
  if (part === '@Param' && data !== undefined && type === String) return;
  assert(
    data === undefined,
    `${place}: take the whole of it as one DTO, so that nothing beside is overlooked`,
  );
  const name = typeof type === 'function' ? type.name : String(type);
  assert(
    typeof type === 'function' && !UNVALIDATED.has(type),
    `${place} would not be validated: its type is ${name} at run time. Declare it as a DTO class, imported without "type"`,
  );
  compileValidator(type as DtoClass);
}
