/** For whoever publishes the ledger's events elsewhere. Loads the client of NATS. */
export { LedgerNats, type LedgerNatsOptions } from './ledger-nats.js';
