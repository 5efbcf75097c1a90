/** For a thread that only follows a log into a read model. Loads what that needs, and nothing else. */
export { LedgerProjector } from '../projections/ledger-projector.js';
export { type ReadModelPlace, openLedgerStore } from '../projections/read-model-place.js';
