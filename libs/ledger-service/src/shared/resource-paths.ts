/*
 * Where resources live. Ledger names, asset codes, account ids and transfer ids are spelled with characters that a path may have as
 * they are, so each resource has one path. Part of recorded answers (`Location`).
 */

export const resourcePaths = {
  ofLedger: (ledger: string) => `/v1/ledgers/${ledger}`,
  ofAsset: (ledger: string, asset: string) => `/v1/ledgers/${ledger}/assets/${asset}`,
  ofAccounts: (ledger: string) => `/v1/ledgers/${ledger}/accounts`,
  ofAccount: (ledger: string, account: string) => `/v1/ledgers/${ledger}/accounts/${account}`,
  ofTransfers: (ledger: string) => `/v1/ledgers/${ledger}/transfers`,
  ofTransfer: (ledger: string, transfer: string) => `/v1/ledgers/${ledger}/transfers/${transfer}`,
} as const;
