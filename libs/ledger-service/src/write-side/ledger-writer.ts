import { CommandWriter, type CommandWriterOptions, openCommandLog } from '@holdfast/commands';
import { type Answer, type LedgerCommand, type LedgerView, ledgerModel } from '@holdfast/ledger';

/** The write side of the ledger. */
export class LedgerWriter extends CommandWriter<LedgerCommand, Answer, LedgerView> {
  /** Opens the log and replays it. Throws what `WalEventLog.open` throws, before anything was changed, and `LEDGER_EVENT_UNKNOWN`. */
  static async open(directory: string, options: CommandWriterOptions = {}): Promise<LedgerWriter> {
    return openCommandLog(
      directory,
      ledgerModel,
      options,
      (log) => new LedgerWriter(log, ledgerModel, options),
    );
  }

  /** Whether the ledger is open, durably or not: what is not there cannot be lost. */
  hasLedger(ledger: string): boolean {
    return this.view.ledger(ledger) !== undefined;
  }

  /** Whether keys may have been recorded in quotes, as earlier releases did: see `keySpellings`. */
  mayHoldQuotedKeys(ledger: string, actor: string): boolean {
    return this.view.mayHoldQuotedKeys(ledger, actor);
  }
}
