import { assert } from '@holdfast/kernel';

/** Whose key it is: keys belong to a scope (a tenant, a ledger) and an actor. */
export interface CommandKey {
  readonly scope: string;
  readonly actor: string;
  readonly key: string;
}

/** What the event is found by that used the key. Neither scope nor actor contains a `/`, which makes it unambiguous. Never changes. */
export function keyTag(scope: string, actor: string, key: string): string {
  assert(!scope.includes('/'), 'the scope of a key contains no "/"');
  return `key:${scope}/${actor}/${key}`;
}
