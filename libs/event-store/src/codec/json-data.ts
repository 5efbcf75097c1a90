import type { ErrorDetails } from '@holdfast/kernel';
import type { JsonObject, JsonValue } from '../event.js';
import { type EventStoreError, invalid } from '../event-store.errors.js';
import { JSON_DEPTH_MAX } from './event-format.js';

/** The way from a root to a value: its name, then a key or an index a level. */
type Place = (string | number)[];

/**
 * A copy of plain data that is exactly what its JSON text will be parsed to: an event's own, whatever its caller does to the
 * original. `JSON.stringify` alone quietly makes null of NaN, text of a Date and `{}` of a Map, and the log would hold something else
 * than its caller believes, so all that JSON would change is refused; but negative zero becomes zero, and properties that are undefined
 * are left out. It is frozen to the last level: what is folded into the state, kept and handed out is one object.
 * Throws `EVENT_INVALID` with the place within `what`.
 */
export function plainCopy(value: JsonObject, what: string): JsonObject {
  const place = [what];
  if (!isPlainObject(value)) throw notJson(place, describe(value));
  return copyOfObject(value, place);
}

function copyOfObject(value: object, place: Place): JsonObject {
  assertDepth(place);
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw notJson(place, 'an object with a symbol for a key');
  const copy: Record<string, JsonValue> = {};
  for (const key in value) {
    const member: unknown = value[key as keyof typeof value];
    if (member === undefined) continue;
    if (key === '__proto__') define(copy, key, copyOf(member, key, place));
    else copy[key] = copyOf(member, key, place);
  }
  return Object.freeze(copy);
}

function copyOf(value: unknown, key: string | number, place: Place): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // Adding zero makes zero of negative zero.
      if (Number.isFinite(value)) return value + 0;
      throw notJson([...place, key], String(value));
    case 'object':
      return value === null ? null : copyOfNested(value, key, place);
    default:
      throw notJson([...place, key], describe(value));
  }
}

function copyOfNested(value: object, key: string | number, place: Place): JsonValue {
  place.push(key);
  const copy = Array.isArray(value) ? copyOfArray(value, place) : copyOfPlain(value, place);
  place.pop();
  return copy;
}

function copyOfArray(values: readonly unknown[], place: Place): readonly JsonValue[] {
  assertDepth(place);
  const copy = new Array<JsonValue>(values.length);
  for (let index = 0; index < values.length; index++)
    copy[index] = copyOf(values[index], index, place);
  return Object.freeze(copy);
}

function copyOfPlain(value: object, place: Place): JsonObject {
  if (!isPlainObject(value)) throw notJson(place, describe(value));
  return copyOfObject(value, place);
}

function assertDepth(place: Place): void {
  const depthMax = JSON_DEPTH_MAX;
  if (place.length > depthMax) throw notJson(place, `nested deeper than ${depthMax}`, { depthMax });
}

/**
 * An object whose prototype is none, or the root of its own realm: by shape and not by identity, because data that
 * crossed a worker or a test runner has another `Object.prototype`.
 */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
  );
}

/** As a parser does it: an assignment would set the prototype. */
function define(target: object, key: string, value: JsonValue): void {
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function notJson(place: Place, found: string, details: ErrorDetails = {}): EventStoreError {
  const text = place
    .map((step, level) =>
      typeof step === 'number' ? `[${step}]` : level === 0 ? step : `.${step}`,
    )
    .join('');
  return invalid(`${text} is ${found}, which JSON cannot hold`, { place: text, ...details });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (value === undefined || value === null) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  const constructor: unknown = value.constructor;
  return typeof constructor === 'function'
    ? `an instance of ${constructor.name}`
    : 'an object with a prototype';
}
