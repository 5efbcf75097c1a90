import type { CommandContext } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import type { Position } from '@holdfast/event-store';
import { instantText } from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import { streams } from '../names.js';
import { type Verdict, accept, unchanged } from '../verdict.js';

/** `PUT /v1/ledgers/{ledger}`. Idempotent by its name: opening an open ledger changes nothing. */
export interface OpenLedger {
  readonly type: 'OpenLedger';
  readonly ledger: string;
}

export const openLedger: CommandDefinition<OpenLedger> = {
  malformation: () => undefined,
  decide,
  keyless: true,
};

function decide(command: OpenLedger, context: CommandContext, view: LedgerView): Verdict {
  const open = view.ledger(command.ledger);
  if (open !== undefined) return foundOpen(command, open.position, view);
  return accept({
    stream: streams.ofLedger(command.ledger),
    expectedVersion: 'no-stream',
    fact: {
      type: 'LedgerOpened',
      data: { ledger: command.ledger, openedAt: instantText(context.nowMillis) },
    },
    tags: [],
  });
}

/** The state knows that it is open; when it was opened stands in the event alone, which retention may have removed. */
function foundOpen({ ledger, type }: OpenLedger, position: Position, view: LedgerView): Verdict {
  const opened = view.eventAt(position);
  const openedAt = opened?.type === 'LedgerOpened' ? opened.data.openedAt : null;
  return unchanged(position, { ledger, command: type, openedAt });
}
