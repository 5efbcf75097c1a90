import type {
  Acceptance,
  Append,
  Refusal as AnyRefusal,
  Unchanged,
  Verdict,
} from '@holdfast/commands';
import type { Position } from '@holdfast/event-store';
import type { CommandUnchanged, LedgerEventData, LedgerEventType } from './ledger.events.js';
import { streams } from './names.js';
import type { ProblemType, Rejection, RejectionParameters } from './rejections.js';

export type { Acceptance, Verdict };

export interface Refusal extends AnyRefusal {
  readonly rejection: Rejection;
}

/** An event's type with its data. */
export type Fact = {
  readonly [Type in LedgerEventType]: { readonly type: Type; readonly data: LedgerEventData[Type] };
}[LedgerEventType];

/** A command of this room makes exactly one event. */
export function accept({
  stream,
  expectedVersion,
  fact,
  tags,
}: Required<Omit<Append, 'facts'>> & { readonly fact: Fact }): Acceptance {
  return { kind: 'accepted', appends: [{ stream, expectedVersion, facts: [fact], tags }] };
}

export function refuse<Type extends ProblemType>(
  problem: Type,
  parameters: RejectionParameters[Type],
): Refusal {
  // The compiler does not see that a pair made of one type argument is a member of the union over all of them.
  return { kind: 'refused', rejection: { problem, parameters } as Rejection };
}

/** A command that is idempotent by name found what it asks for, which the event at `position` has made. */
export function unchanged(position: Position, data: CommandUnchanged): Unchanged {
  const facts = [{ type: 'CommandUnchanged', data }];
  return {
    kind: 'unchanged',
    position,
    append: { stream: streams.ofUnchanged(data.ledger), facts },
  };
}
