import type { CommandModel } from '@holdfast/commands';
import { type Answer, type Answerable, answerOf } from './answer.js';
import { LEDGER_COMMAND_TYPES } from './command-type.js';
import { decide } from './decide.js';
import { evolve } from './evolve.js';
import { type LedgerCommand, definitionOf } from './ledger-command.js';
import { LEDGER_STATE } from './ledger-state-version.js';
import { LedgerView } from './ledger-view.js';
import { malformationOf } from './malformation.js';
import { streams } from './names.js';
import { ledgerEventSchemas } from './recorded-event.js';

/** The ledger for a `CommandWriter`: many entities in one state, and decisions over all of them. */
export const ledgerModel: CommandModel<LedgerCommand, Answer, LedgerView> = {
  ...LEDGER_STATE,
  schemas: ledgerEventSchemas,
  keyless: LEDGER_COMMAND_TYPES.filter((type) => definitionOf(type).keyless),
  evolve,
  viewOf: (log) => new LedgerView(log.state, log),
  malformationOf,
  decide,
  // Nothing else is in the log: `evolve` has taken each of its events for one of ours.
  answerOf: (event) => answerOf(event as unknown as Answerable),
  scopeOf: ({ ledger }) => ledger,
  rejectionOf: ({ ledger, type }, { problem, parameters }) => ({
    stream: streams.ofRejections(ledger),
    data: { ledger, command: type, problem, parameters },
  }),
};
