import { type DispensableReason, dispensableAs, ledgerModel } from '@holdfast/ledger';
import type { CompactionPolicy, OperatedProjection, OperatedService } from '@holdfast/operations';
import { SqliteReadModelStore, rebuildInThread } from '@holdfast/projections';
import { ledgerProjection } from './projections/ledger.projection.js';
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

/** The same, with the read models of an installation. */
export function ledgerOperations(storage: RebuildThreadData): OperatedService {
  const { name, version } = ledgerProjection;
  const { walDirectory, archiveDirectory, readModelDirectory } = storage;
  // One by one: of a configuration they are no members of its own, and a thread is given a copy of those.
  const data: RebuildThreadData = { walDirectory, archiveDirectory, readModelDirectory };
  const script = new URL('./projections/rebuild.worker.js', import.meta.url);
  const projection: OperatedProjection = {
    ...{ name, version },
    openStore: () =>
      SqliteReadModelStore.open({ directory: readModelDirectory, projection: ledgerProjection }),
    rebuild: (options) => rebuildInThread(script, data, options),
  };
  return { ...LEDGER_OPERATIONS, projections: [projection] };
}
