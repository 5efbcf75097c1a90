import type { Malformed } from '@holdfast/commands';
import { LEDGER_COMMAND_TYPES, type LedgerCommandType } from './command-type.js';
import { ledgerRule } from './fields.js';
import { definitionOf } from './ledger-command.js';
import { isRecord, malformed, required } from './malformed.js';

/**
 * The first field that breaks its grammar, or undefined: then the value is a `LedgerCommand`. Total over anything, so that a
 * bug in front of it is an answer and never a broken ledger. Fields it does not know are ignored, and never reach an event.
 */
export function malformationOf(command: unknown): Malformed | undefined {
  if (!isRecord(command)) return malformed('', 'must be an object');
  const { type } = command;
  if (!isCommandType(type))
    return malformed('type', `must be one of ${LEDGER_COMMAND_TYPES.join(', ')}`);
  return (
    required(ledgerRule, 'ledger', command['ledger']) ?? definitionOf(type).malformation(command)
  );
}

function isCommandType(type: unknown): type is LedgerCommandType {
  return (LEDGER_COMMAND_TYPES as readonly unknown[]).includes(type);
}
