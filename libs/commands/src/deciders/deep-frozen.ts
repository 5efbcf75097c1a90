/** What this has frozen to its last level. That something is frozen says nothing of what is below: its author may have frozen its top alone. */
const known = new WeakSet();

/**
 * The same plain value, frozen to its last level. A state shares most of its parts with the one before, and those are not walked again. Bytes, which cannot be
 * frozen, stay as they are.
 */
export function deepFrozen<Value>(value: Value): Value {
  if (isNested(value)) freeze(value);
  return value;
}

function freeze(value: object): void {
  if (known.has(value) || ArrayBuffer.isView(value)) return;
  // First itself: what holds itself is walked once.
  known.add(Object.freeze(value));
  for (const key in value) {
    const member: unknown = value[key as keyof typeof value];
    if (isNested(member)) freeze(member);
  }
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
