import { type DispensableReason, dispensableAs, ledgerModel } from '@holdfast/ledger';
import type { CompactionPolicy, OperatedService } from '@holdfast/operations';
import { ledgerProjection } from './projections/ledger.projection.js';

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
