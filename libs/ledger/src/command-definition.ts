import type { CommandContext, Malformed, Verdict } from '@holdfast/commands';
import type { LedgerCommandType } from './command-type.js';
import type { LedgerView } from './ledger-view.js';
import type { Unchecked } from './malformed.js';

/** What the ledger knows of one command: each is defined in a file of its own in `commands/`, and listed in `ledger-command.ts`. */
export interface CommandDefinition<Command extends { readonly type: LedgerCommandType }> {
  /** Grammar: the first field that only this command has and that breaks it. */
  readonly malformation: (command: Unchecked<Command>) => Malformed | undefined;
  /** Rules: what they say of it when its ledger is open, or when it opens one. Pure. */
  readonly decide: (command: Command, context: CommandContext, view: LedgerView) => Verdict;
  /** Idempotent by the name of what it makes, so that it needs no key. */
  readonly keyless?: boolean;
}
