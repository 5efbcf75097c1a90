import type { ExpectedVersion } from '@holdfast/event-store';
import type { Unchanged } from './decision.js';
import type { LedgerEventData, LedgerEventType } from './ledger.events.js';
import type { ProblemType, Rejection, RejectionParameters } from './rejections.js';

/** What one use case says of a command; `decide` makes a `Decision` of it. */
export type Verdict = Acceptance | Refusal | Unchanged;

export interface Acceptance {
  readonly kind: 'acceptance';
  readonly stream: string;
  readonly expectedVersion: ExpectedVersion;
  readonly fact: Fact;
  /** The command's key is added to them. */
  readonly tags: readonly string[];
}

export interface Refusal {
  readonly kind: 'refusal';
  readonly rejection: Rejection;
}

/** An event's type with its data. */
export type Fact = {
  readonly [Type in LedgerEventType]: { readonly type: Type; readonly data: LedgerEventData[Type] };
}[LedgerEventType];

export function accept(acceptance: Omit<Acceptance, 'kind'>): Acceptance {
  const { stream, expectedVersion, fact, tags } = acceptance;
  return { kind: 'acceptance', stream, expectedVersion, fact, tags };
}

export function refuse<Type extends ProblemType>(
  problem: Type,
  parameters: RejectionParameters[Type],
): Refusal {
  // The compiler does not see that a pair made of one type argument is a member of the union over all of them.
  return { kind: 'refusal', rejection: { problem, parameters } as Rejection };
}
