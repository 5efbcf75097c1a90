/**
 * The same plain value, frozen to its last level. What is frozen already counts as frozen below too: a state shares most of its parts with the one before, and those
 * are not walked again. Bytes, which cannot be frozen, stay as they are.
 */
export function deepFrozen<Value>(value: Value): Value {
  if (isNested(value)) freeze(value);
  return value;
}

function freeze(value: object): void {
  if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  // First itself: what holds itself is walked once.
  Object.freeze(value);
  for (const key in value) {
    const member: unknown = value[key as keyof typeof value];
    if (isNested(member)) freeze(member);
  }
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
