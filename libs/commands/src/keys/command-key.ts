import { assert } from '@holdfast/kernel';

/** Keys belong to a scope (a tenant, a ledger) and an actor. */
export interface CommandKey {
  readonly scope: string;
  readonly actor: string;
  readonly key: string;
}

/** The tag that finds the event that used the key. Neither scope nor actor contains a `/`, so it is unambiguous. It never changes. */
export function keyTag(scope: string, actor: string, key: string): string {
  assert(!scope.includes('/'), 'the scope of a key contains no "/"');
  return `key:${scope}/${actor}/${key}`;
}
