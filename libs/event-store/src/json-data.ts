import type { JsonObject } from './event.js';
import { invalid } from './event-store.errors.js';
import { JSON_DEPTH_MAX } from './event-format.js';

/** Where a value stopped being JSON: ` .legs[2].amount` and what stood there. */
interface Fault {
  readonly path: string;
  readonly found: string;
}

/**
 * The JSON text of plain data. `JSON.stringify` alone quietly makes null of NaN, text of a Date and `{}` of a Map, and the
 * log would hold something else than its caller believes; so everything that JSON would change is refused. Properties
 * that are undefined are left out. Throws `EVENT_INVALID` naming the place within `what`.
 */
export function jsonText(value: JsonObject, what: string): string {
  const fault = isPlainObject(value)
    ? faultInObject(value, 1)
    : { path: '', found: `${describe(value)}, not a plain object` };
  if (fault !== undefined)
    throw invalid(`${what}${fault.path} is ${fault.found}, which JSON cannot hold`, {
      place: `${what}${fault.path}`,
    });
  return JSON.stringify(value);
}

function faultInObject(value: object, depth: number): Fault | undefined {
  if (depth > JSON_DEPTH_MAX) return { path: '', found: `nested deeper than ${JSON_DEPTH_MAX}` };
  for (const key in value) {
    const member: unknown = value[key as keyof typeof value];
    if (member === undefined) continue;
    const fault = faultIn(member, depth);
    if (fault !== undefined) return { path: `.${key}${fault.path}`, found: fault.found };
  }
  return undefined;
}

function faultIn(value: unknown, depth: number): Fault | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', found: String(value) };
    case 'object':
      if (value === null) return undefined;
      if (Array.isArray(value)) return faultInArray(value, depth + 1);
      if (isPlainObject(value)) return faultInObject(value, depth + 1);
      return { path: '', found: describe(value) };
    default:
      return { path: '', found: describe(value) };
  }
}

function faultInArray(values: readonly unknown[], depth: number): Fault | undefined {
  if (depth > JSON_DEPTH_MAX) return { path: '', found: `nested deeper than ${JSON_DEPTH_MAX}` };
  for (let index = 0; index < values.length; index++) {
    const fault = faultIn(values[index], depth);
    if (fault !== undefined) return { path: `[${index}]${fault.path}`, found: fault.found };
  }
  return undefined;
}

/**
 * An object whose prototype is none, or the root of its own realm: by shape and not by identity, because data that
 * crossed a worker or a test runner has another `Object.prototype`.
 */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
  );
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null)
    return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
  const constructor: unknown = value.constructor;
  return typeof constructor === 'function'
    ? `an instance of ${constructor.name}`
    : 'an object with a prototype';
}
