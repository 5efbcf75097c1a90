/** Loaded only where there is a server to publish to. */
export { LedgerNats } from '@holdfast/ledger-service/outlets';
