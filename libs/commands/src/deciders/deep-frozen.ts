import { assert } from '@holdfast/kernel';

/** What this has frozen to its last level, and whether it is plain. That something is frozen says nothing of what is below: its author may have frozen its top alone. */
const known = new WeakMap<object, boolean>();

/**
 * The same value, frozen to its last level. A state shares most of its parts with the one before, and those are not walked again. What cannot be frozen, such as
 * bytes and a Map, is not plain.
 */
export function deepFrozen<Value>(value: Value): Value {
  isPlain(value);
  return value;
}

/**
 * Throws for a value that a checkpoint would not give back as it is: `state.of[1] is NaN, …`. Freezes it. `undefined` itself is no state.
 */
export function assertPlain(value: unknown, what: string): void {
  if (value === undefined || isPlain(value)) return;
  throw new TypeError(
    `${faultOf(value, what)}, which is another value or none after a restart: a state must be plain JSON`,
  );
}

function isPlain(value: unknown): boolean {
  return isNested(value) ? (known.get(value) ?? walked(value)) : isPlainLeaf(value);
}

function walked(value: Nested): boolean {
  // First itself: what holds itself is walked once, and is not plain.
  known.set(value, false);
  if (ArrayBuffer.isView(value)) return false;
  Object.freeze(value);
  let plain = isPlainObject(value);
  // Each is frozen, also behind one that is not plain.
  for (const key of membersOf(value)) plain = isPlain(value[key]) && plain;
  known.set(value, plain);
  return plain;
}

/** Also those that a list lacks: a checkpoint gives them back as null. */
function membersOf(value: Nested): (string | number)[] {
  return Array.isArray(value) ? [...value.keys()] : Object.keys(value);
}

function isPlainLeaf(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'string':
    case 'boolean':
      return true;
    default:
      return value === null;
  }
}

/** By shape, and not by identity: a worker or a test runner has another `Object.prototype`. */
function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    const isRoot =
      Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype as object, 'isPrototypeOf');
    if (!isRoot) return false;
  }
  return Object.getOwnPropertySymbols(value).length === 0 && !hasGetter(value);
}

/** What it gives may change though it is frozen. */
function hasGetter(value: object): boolean {
  for (const key in value)
    if (Object.getOwnPropertyDescriptor(value, key)?.get !== undefined) return true;
  return false;
}

function faultOf(value: unknown, place: string, around: readonly Nested[] = []): string {
  if (!isNested(value)) return `${place} is ${Object.is(value, -0) ? '-0' : leafName(value)}`;
  if (ArrayBuffer.isView(value) || !isPlainObject(value)) return `${place} is ${objectName(value)}`;
  if (around.includes(value)) return `${place} holds itself`;
  const at = membersOf(value).find((key) => !isPlain(value[key]));
  assert(at !== undefined, 'what is not plain has a reason');
  const inner = Array.isArray(value) ? `${place}[${at}]` : `${place}.${at}`;
  return faultOf(value[at], inner, [...around, value]);
}

function leafName(value: unknown): string {
  return typeof value === 'number' || value === undefined ? String(value) : `a ${typeof value}`;
}

function objectName(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  const isClass = typeof constructor === 'function' && constructor.name !== 'Object';
  return isClass ? `an instance of ${constructor.name}` : 'an object with a getter or a symbol';
}

function isNested(value: unknown): value is Nested {
  return typeof value === 'object' && value !== null;
}

type Nested = Record<string | number, unknown>;
