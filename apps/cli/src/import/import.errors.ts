import { CodedError, type ErrorDetails } from '@holdfast/kernel';

/** With what an import as a whole ends; a row that cannot be taken is a `RowRefusal`, and the import goes on. */
export type ImportErrorCode =
  | 'IMPORT_MAPPING_INVALID'
  | 'IMPORT_CSV_INVALID'
  /** Somebody writes the file while it is read. */
  | 'IMPORT_FILE_CHANGED'
  /** An option is not what it can be, or names a file that would be overwritten. */
  | 'IMPORT_OPTION_INVALID'
  /** Another one writes the same files. */
  | 'IMPORT_RUNNING'
  /** The service refuses what an import needs: the ledger, the asset, or a batch as a whole. */
  | 'IMPORT_REFUSED'
  /** The answers that it had are no more what the ledger answers, again and again. */
  | 'IMPORT_HISTORY_CHANGED'
  /** Nothing is lost: the same command goes on where this one stopped. */
  | 'SERVICE_UNREACHABLE';

export class ImportError extends CodedError {
  override readonly name = 'ImportError';

  constructor(
    override readonly code: ImportErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, details, options);
  }
}
