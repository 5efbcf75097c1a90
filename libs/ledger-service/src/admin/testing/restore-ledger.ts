import { LedgerWriter } from '../../write-side/ledger-writer.js';
import {
  type WorkContext,
  type DataRestoreReport,
  type RestoreOptions,
  restoreData,
} from '@holdfast/operations';

/** A restore of what a ledger has written, opened as one. */
export function restoreLedger(
  options: Omit<RestoreOptions, 'open'>,
  context: WorkContext,
): Promise<DataRestoreReport> {
  return restoreData({ ...options, open: (...log) => LedgerWriter.open(...log) }, context);
}
