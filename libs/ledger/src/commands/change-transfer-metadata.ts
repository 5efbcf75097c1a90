import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import type { StreamVersion } from '@holdfast/event-store';
import { type MetadataPatch, uuidRule, versionRule } from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import { type Unchecked, metadataPatchMalformed, optional, required } from '../malformed.js';
import { patched, refuseMetadataKeys } from '../metadata.js';
import { streams } from '../names.js';
import { type Verdict, accept, refuse } from '../verdict.js';

/** `PATCH /transfers/{id}/metadata`: the only thing about a transfer that may change. */
export interface ChangeTransferMetadata {
  readonly type: 'ChangeTransferMetadata';
  readonly ledger: string;
  readonly transferId: string;
  /** The transfer's `version`, from If-Match. */
  readonly expectedVersion?: number | undefined;
  readonly metadata: MetadataPatch;
}

export const changeTransferMetadata: CommandDefinition<ChangeTransferMetadata> = {
  malformation,
  decide,
};

function malformation(command: Unchecked<ChangeTransferMetadata>): Malformed | undefined {
  return (
    required(uuidRule, 'transferId', command.transferId) ??
    optional(versionRule, 'expectedVersion', command.expectedVersion) ??
    metadataPatchMalformed(command.metadata)
  );
}

function decide(command: ChangeTransferMetadata, _: CommandContext, view: LedgerView): Verdict {
  const { ledger, transferId, expectedVersion } = command;
  const transfer = view.transfer(ledger, transferId);
  if (transfer === undefined) return refuse('transfer-not-found', { transferId });
  if (expectedVersion !== undefined && expectedVersion !== transfer.version) {
    return refuse('version-mismatch', {
      resource: 'transfer',
      id: transferId,
      expectedVersion,
      actualVersion: transfer.version,
    });
  }
  const metadata = patched(transfer.metadata ?? {}, command.metadata);
  const tooMany = refuseMetadataKeys(metadata);
  if (tooMany !== undefined) return tooMany;
  return accept({
    stream: streams.ofTransfer(ledger, transferId),
    expectedVersion: transfer.version as StreamVersion,
    fact: {
      type: 'MetadataChanged',
      data: { ledger, subject: 'transfer', transferId, metadata, version: transfer.version + 1 },
    },
    tags: [],
  });
}
