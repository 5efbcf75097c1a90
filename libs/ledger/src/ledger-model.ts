import type { CommandModel, Verdict } from '@holdfast/commands';
import { type Answer, type Answerable, answerOf } from './answer.js';
import { verdictOn } from './decide.js';
import { evolve } from './evolve.js';
import type { LedgerCommand } from './ledger-command.js';
import { LEDGER_STATE } from './ledger-state-version.js';
import { LedgerView } from './ledger-view.js';
import { malformationOf } from './malformation.js';
import { streams } from './names.js';
import { ledgerEventSchemas } from './recorded-event.js';
import { type Verdict as LedgerVerdict, refuse } from './verdict.js';

/** The ledger for a `CommandWriter`: many entities in one state, and decisions over all of them. */
export const ledgerModel: CommandModel<LedgerCommand, Answer, LedgerView> = {
  ...LEDGER_STATE,
  schemas: ledgerEventSchemas,
  keyless: ['OpenLedger', 'RegisterAsset'],
  evolve,
  viewOf: (log) => new LedgerView(log.state, log),
  malformationOf,
  decide(command, context, view) {
    const { ledger } = command;
    if (command.type !== 'OpenLedger' && view.ledger(ledger) === undefined)
      return {
        kind: 'refused',
        rejection: refuse('ledger-not-found', { ledger }).rejection,
        recorded: false,
      };
    return verdictOf(verdictOn(command, context, view));
  },
  // Nothing else is in the log: `evolve` has taken each of its events for one of ours.
  answerOf: (event) => answerOf(event as unknown as Answerable),
  scopeOf: ({ ledger }) => ledger,
  rejectionOf: ({ ledger, type }, rejection) => ({
    stream: streams.ofRejections(ledger),
    data: { ledger, command: type, ...rejection },
  }),
};

function verdictOf(verdict: LedgerVerdict): Verdict {
  switch (verdict.kind) {
    case 'acceptance': {
      const { stream, expectedVersion, fact, tags } = verdict;
      return { kind: 'accepted', appends: [{ stream, expectedVersion, facts: [fact], tags }] };
    }
    case 'refusal':
      return { kind: 'refused', rejection: verdict.rejection };
    case 'unchanged': {
      const { position, data } = verdict;
      const facts = [{ type: 'CommandUnchanged', data }];
      return {
        kind: 'unchanged',
        position,
        append: { stream: streams.ofUnchanged(data.ledger), facts },
      };
    }
  }
}
