import { type DispensableReason, dispensableAs, ledgerModel } from '@holdfast/ledger';
import type {
  CompactionPolicy,
  DerivedState,
  OperatedProjection,
  OperatedService,
} from '@holdfast/operations';
import { rebuildInThread } from '@holdfast/projections';
import { ledgerProjection } from './projections/ledger.projection.js';
import {
  type ReadModelPlace,
  loadPostgres,
  openLedgerStore,
} from './projections/read-model-place.js';
import type { RebuildThreadData } from './projections/rebuild.worker.js';

const compaction: CompactionPolicy<DispensableReason> = {
  reasons: ['expiredRefusals', 'supersededMetadata'],
  summary: 'Rewrite sealed segments without what the books can do without',
  description:
    'Refusals and superseded metadata whose idempotency keys have expired, and never money. A dry run counts by reason. Only below every floor and below the older of two snapshots.',
  dispensableAs,
};

/** What the care of a log must know of the ledger. */
export const LEDGER_OPERATIONS = {
  model: ledgerModel,
  projection: ledgerProjection,
  compaction,
} satisfies OperatedService;

export interface LedgerLogPlace {
  readonly walDirectory: string;
  readonly archiveDirectory: string;
}

/** The same, with the read models of an installation. */
export function ledgerOperations(
  { walDirectory, archiveDirectory }: LedgerLogPlace,
  readModel: ReadModelPlace,
): OperatedService {
  const { name, version } = ledgerProjection;
  const data: RebuildThreadData = { walDirectory, archiveDirectory, readModel };
  const script = new URL('./projections/rebuild.worker.js', import.meta.url);
  const projection: OperatedProjection = {
    ...{ name, version },
    openStore: () => openLedgerStore(readModel),
    rebuild: (options) => rebuildInThread(script, data, options),
  };
  return { ...derivedState(readModel), compaction, projections: [projection] };
}

function derivedState({ postgres }: ReadModelPlace): DerivedState {
  if (postgres === undefined) return LEDGER_OPERATIONS;
  return {
    model: ledgerModel,
    readModelsElsewhere: [
      {
        name: ledgerProjection.name,
        compare: async (options) => (await loadPostgres()).comparePostgresLedger(postgres, options),
      },
    ],
  };
}
