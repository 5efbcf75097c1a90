/** Recorded with every rejection, and so never renamed. */
export const LEDGER_COMMAND_TYPES = [
  'OpenLedger',
  'RegisterAsset',
  'OpenAccount',
  'ChangeAccount',
  'SetAccountStatus',
  'PostTransfer',
  'ChangeTransferMetadata',
] as const;

export type LedgerCommandType = (typeof LEDGER_COMMAND_TYPES)[number];
