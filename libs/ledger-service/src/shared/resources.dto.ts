import { ApiProperty } from '@holdfast/platform';
import type {
  AccountResource,
  AccountStatus,
  AssetResource,
  LedgerResource,
  Metadata,
  Side,
  TransferLegResource,
  TransferMetadataResource,
  TransferResource,
} from '@holdfast/ledger';
import { fieldSchemas } from './ledger-fields.js';

/*
 * The resources for OpenAPI only: answers are the ledger's own plain objects, and `implements` holds these classes to them.
 */

const WHEN_MADE = {
  ...fieldSchemas.instant,
  nullable: true,
  description: `${fieldSchemas.instant.description} Null only in the answer to a repeated \`PUT\`, once retention has removed the event that made it.`,
} as const;

export class LedgerDto implements LedgerResource {
  @ApiProperty(fieldSchemas.ledger)
  id!: string;

  @ApiProperty(WHEN_MADE)
  openedAt!: string | null;
}

export class AssetDto implements AssetResource {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.asset)
  code!: string;

  @ApiProperty(fieldSchemas.scale)
  scale!: number;

  @ApiProperty(WHEN_MADE)
  registeredAt!: string | null;
}

export class AccountDto implements AccountResource {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.accountId)
  id!: string;

  @ApiProperty(fieldSchemas.asset)
  asset!: string;

  @ApiProperty({ ...fieldSchemas.side, description: 'The side that raises the account.' })
  normalSide!: Side;

  @ApiProperty({ ...fieldSchemas.limit, nullable: true })
  floor!: string | null;

  @ApiProperty({ ...fieldSchemas.limit, nullable: true })
  ceiling!: string | null;

  @ApiProperty(fieldSchemas.accountStatus)
  status!: AccountStatus;

  @ApiProperty(fieldSchemas.metadata)
  metadata!: Metadata;

  @ApiProperty({
    ...fieldSchemas.version,
    description: 'Counts opening, policy, status and metadata; the ETag. The balance has its own.',
  })
  version!: number;

  @ApiProperty(fieldSchemas.instant)
  openedAt!: string;
}

export class TransferLegDto implements TransferLegResource {
  @ApiProperty(fieldSchemas.accountId)
  accountId!: string;

  @ApiProperty(fieldSchemas.side)
  side!: Side;

  @ApiProperty(fieldSchemas.amount)
  amount!: string;

  @ApiProperty(fieldSchemas.asset)
  asset!: string;
}

export class TransferDto implements TransferResource {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.uuid)
  id!: string;

  @ApiProperty({ ...fieldSchemas.reference, nullable: true })
  reference!: string | null;

  @ApiProperty(fieldSchemas.instant)
  effectiveAt!: string;

  @ApiProperty(fieldSchemas.instant)
  recordedAt!: string;

  @ApiProperty({
    type: [TransferLegDto],
    minItems: 2,
    maxItems: 64,
    example: [
      { accountId: 'cash', side: 'debit', amount: '1250', asset: 'EUR' },
      { accountId: 'alice', side: 'credit', amount: '1250', asset: 'EUR' },
    ],
  })
  legs!: TransferLegDto[];

  @ApiProperty(fieldSchemas.metadata)
  metadata!: Metadata;

  @ApiProperty({ ...fieldSchemas.version, description: 'Counts posting and metadata; the ETag.' })
  version!: number;
}

export class TransferMetadataDto implements TransferMetadataResource {
  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.uuid)
  transferId!: string;

  @ApiProperty(fieldSchemas.metadata)
  metadata!: Metadata;

  @ApiProperty(fieldSchemas.version)
  version!: number;
}
