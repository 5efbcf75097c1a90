import type { CommandContext, Verdict } from '@holdfast/commands';
import { type LedgerCommand, definitionOf } from './ledger-command.js';
import type { LedgerView } from './ledger-view.js';
import { refuse } from './verdict.js';

/** The rules: what they say of a well-formed command whose key is new. Pure. */
export function decide(command: LedgerCommand, context: CommandContext, view: LedgerView): Verdict {
  const { type, ledger } = command;
  if (type !== 'OpenLedger' && view.ledger(ledger) === undefined)
    // Its refusals have no stream, and whoever names many ledgers fills nothing.
    return { ...refuse('ledger-not-found', { ledger }), recorded: false };
  return definitionOf(type).decide(command, context, view);
}
