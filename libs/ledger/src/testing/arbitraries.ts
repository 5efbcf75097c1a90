import fc from 'fast-check';
import type { ChangeAccount } from '../commands/change-account.js';
import type { ChangeTransferMetadata } from '../commands/change-transfer-metadata.js';
import type { OpenAccount } from '../commands/open-account.js';
import type { PostTransfer, PostTransferLeg } from '../commands/post-transfer.js';
import type { RegisterAsset } from '../commands/register-asset.js';
import type { SetAccountStatus } from '../commands/set-account-status.js';
import { ACCOUNT_STATUSES, SIDES, instantText } from '../fields.js';
import type { LedgerCommand } from '../ledger-command.js';
import { type Circumstances, TEST_START_MILLIS, commandId } from './test-books.js';

/*
 * Commands over a small world, so that they meet each other: the same few accounts, references and keys again and
 * again, sometimes ones that do not exist. All are well-formed; what the rules say of them is for the test.
 */

export const TEST_LEDGER = 'main';
/** Open after `worldSetUp`; `ghost` never is, unless a command opens it. */
const ACCOUNTS = ['cash', 'bank', 'alice', 'bob', 'dollars', 'dora', 'spare', 'ghost'] as const;
const EURO_ACCOUNTS = ['cash', 'bank', 'alice', 'bob'] as const;
const DOLLAR_ACCOUNTS = ['dollars', 'dora'] as const;

/** A ledger with two assets, and accounts of every policy (free, at least zero, overdraft, capped) with some money. */
export const worldSetUp: readonly LedgerCommand[] = [
  { type: 'OpenLedger', ledger: TEST_LEDGER },
  { type: 'RegisterAsset', ledger: TEST_LEDGER, asset: 'EUR', scale: 2 },
  { type: 'RegisterAsset', ledger: TEST_LEDGER, asset: 'USD', scale: 2 },
  account('cash', 'EUR', { normalSide: 'debit', floor: null }),
  account('bank', 'EUR', { normalSide: 'debit', floor: '-500' }),
  account('alice', 'EUR', { normalSide: 'credit' }),
  account('bob', 'EUR', { normalSide: 'credit', floor: '-100', ceiling: '300' }),
  account('dollars', 'USD', { normalSide: 'debit', floor: null, ceiling: '1000' }),
  account('dora', 'USD', { normalSide: 'credit', metadata: { owner: 'Dora' } }),
  account('spare', 'EUR', { normalSide: 'credit' }),
  funding('bank', 'cash', '2000'),
  funding('cash', 'alice', '1000'),
  funding('dollars', 'dora', '500'),
];

function funding(debited: string, credited: string, amount: string): PostTransfer {
  return {
    type: 'PostTransfer',
    ledger: TEST_LEDGER,
    legs: [
      { accountId: debited, side: 'debit', amount },
      { accountId: credited, side: 'credit', amount },
    ],
  };
}

function account(
  accountId: string,
  asset: string,
  policy: Pick<OpenAccount, 'normalSide' | 'floor' | 'ceiling' | 'metadata'>,
): OpenAccount {
  return { type: 'OpenAccount', ledger: TEST_LEDGER, accountId, asset, ...policy };
}

const ledger = fc.constant(TEST_LEDGER);
const side = fc.constantFrom(...SIDES);
const smallVersion = fc.nat({ max: 4 });
const limit = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -300, max: 300 }).map((units) => String(units)),
);
const metadataKey = fc.constantFrom('owner', 'note', 'Zürich', '7');
const metadataValue = fc.string({ maxLength: 5, unit: 'grapheme' }).filter(isStorable);
const metadata = fc.dictionary(metadataKey, metadataValue, { maxKeys: 3 });
const metadataPatch = fc.dictionary(metadataKey, fc.option(metadataValue), { maxKeys: 3 });

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Mostly some hundred units; now and then far more than a double holds. */
export const amounts: fc.Arbitrary<bigint> = fc.oneof(
  { weight: 19, arbitrary: fc.bigInt({ min: 1n, max: 250n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: 10n ** 36n - 1n }) },
);

/** One to three legs on one side, with their amounts. */
function sideOfLegs(accounts: readonly string[]) {
  return fc.array(fc.tuple(fc.constantFrom(...accounts), amounts), { minLength: 1, maxLength: 3 });
}

/** Legs that balance within the asset: what is left of the other side's total goes to one more account. */
function balancedLegs(accounts: readonly string[]): fc.Arbitrary<PostTransferLeg[]> {
  return fc
    .tuple(sideOfLegs(accounts), fc.constantFrom(...accounts), fc.constantFrom(...accounts), side)
    .map(([entries, first, second, entrySide]) => {
      const total = entries.reduce((sum, [, amount]) => sum + amount, 0n);
      const otherSide = entrySide === 'debit' ? 'credit' : 'debit';
      const half = total / 2n;
      const shares =
        half === 0n ? [[first, total] as const] : splitInTwo(first, second, total, half);
      return [
        ...entries.map(([id, amount]) => leg(id, entrySide, amount)),
        ...shares.map(([id, amount]) => leg(id, otherSide, amount)),
      ];
    });
}

function splitInTwo(first: string, second: string, total: bigint, half: bigint) {
  return [[first, half] as const, [second, total - half] as const];
}

function leg(accountId: string, legSide: PostTransferLeg['side'], amount: bigint): PostTransferLeg {
  return { accountId, side: legSide, amount: String(amount) };
}

const anyLegs: fc.Arbitrary<PostTransferLeg[]> = fc.array(
  fc.tuple(fc.constantFrom(...ACCOUNTS), side, amounts).map((parts) => leg(...parts)),
  { minLength: 2, maxLength: 4 },
);

const legs: fc.Arbitrary<PostTransferLeg[]> = fc.oneof(
  { weight: 6, arbitrary: balancedLegs(EURO_ACCOUNTS) },
  { weight: 2, arbitrary: balancedLegs(DOLLAR_ACCOUNTS) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(balancedLegs(EURO_ACCOUNTS), balancedLegs(DOLLAR_ACCOUNTS))
      .map(([euros, dollars]) => [...euros, ...dollars]),
  },
  // After a closing, somebody must come who does not know.
  { weight: 1, arbitrary: balancedLegs(['cash', 'spare']) },
  { weight: 1, arbitrary: anyLegs },
);

const versionedLegs = fc
  .tuple(legs, fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, smallVersion))
  .map(([made, expectedVersion]) =>
    expectedVersion === undefined
      ? made
      : made.map((one, index) => (index === 0 ? { ...one, expectedVersion } : one)),
  );

const effectiveAt = fc
  .integer({ min: -100_000_000_000, max: 60_000 })
  .map((offset) => instantText(TEST_START_MILLIS + offset));

export const postTransfers: fc.Arbitrary<PostTransfer> = fc.record(
  {
    type: fc.constant('PostTransfer' as const),
    ledger,
    legs: versionedLegs,
    reference: fc.integer({ min: 1, max: 12 }).map((number) => `invoice ${number}`),
    effectiveAt,
    metadata,
  },
  { requiredKeys: ['type', 'ledger', 'legs'] },
);

const registerAssets: fc.Arbitrary<RegisterAsset> = fc.record({
  type: fc.constant('RegisterAsset' as const),
  ledger: fc.constantFrom(TEST_LEDGER, TEST_LEDGER, 'unknown'),
  asset: fc.constantFrom('EUR', 'JPY'),
  scale: fc.constantFrom(0, 2),
});

const openAccounts: fc.Arbitrary<OpenAccount> = fc
  .record(
    {
      type: fc.constant('OpenAccount' as const),
      ledger,
      accountId: fc.constantFrom('ghost', 'alice', 'extra'),
      asset: fc.constantFrom('EUR', 'USD', 'XXX'),
      normalSide: side,
      floor: limit,
      ceiling: limit,
      metadata,
    },
    { requiredKeys: ['type', 'ledger', 'asset', 'normalSide'] },
  )
  .filter(({ floor, ceiling }) => inOrder(floor, ceiling));

const anyChangesOfAccounts: fc.Arbitrary<ChangeAccount> = fc
  .record(
    {
      type: fc.constant('ChangeAccount' as const),
      ledger,
      accountId: fc.constantFrom(...ACCOUNTS),
      expectedVersion: smallVersion,
      floor: limit,
      ceiling: limit,
      metadata: metadataPatch,
    },
    { requiredKeys: ['type', 'ledger', 'accountId'] },
  )
  .filter(({ floor, ceiling, metadata: patch }) =>
    floor === undefined && ceiling === undefined ? patch !== undefined : inOrder(floor, ceiling),
  );

/** Of an account that is open: among the changes above, hardly one in a hundred is taken and touches metadata alone. */
const changesOfAccountMetadata: fc.Arbitrary<ChangeAccount> = fc.record({
  type: fc.constant('ChangeAccount' as const),
  ledger,
  accountId: fc.constantFrom(...EURO_ACCOUNTS, ...DOLLAR_ACCOUNTS),
  metadata: metadataPatch,
});

const changeAccounts = fc.oneof(
  { weight: 3, arbitrary: anyChangesOfAccounts },
  { weight: 1, arbitrary: changesOfAccountMetadata },
);

function inOrder(floor: string | null | undefined, ceiling: string | null | undefined): boolean {
  return (
    typeof floor !== 'string' || typeof ceiling !== 'string' || BigInt(floor) <= BigInt(ceiling)
  );
}

const setAccountStatuses: fc.Arbitrary<SetAccountStatus> = fc.record({
  type: fc.constant('SetAccountStatus' as const),
  ledger,
  accountId: fc.constantFrom(...ACCOUNTS),
  expectedVersion: fc.nat({ max: 3 }),
  // Mostly back to active, or the world would freeze over before it is interesting.
  status: fc.oneof(fc.constant('active' as const), fc.constantFrom(...ACCOUNT_STATUSES)),
});

/** Of the account that has no money at first, since no other can be closed. */
const closings: fc.Arbitrary<SetAccountStatus> = fc.record({
  type: fc.constant('SetAccountStatus' as const),
  ledger,
  accountId: fc.constant('spare'),
  expectedVersion: fc.constantFrom(1, 2),
  status: fc.constant('closed' as const),
});

const changeTransferMetadata: fc.Arbitrary<ChangeTransferMetadata> = fc.record(
  {
    type: fc.constant('ChangeTransferMetadata' as const),
    ledger,
    transferId: fc
      .integer({ min: worldSetUp.length + 1, max: worldSetUp.length + 10 })
      .map(commandId),
    expectedVersion: fc.constantFrom(1, 2),
    metadata: metadataPatch,
  },
  { requiredKeys: ['type', 'ledger', 'transferId', 'metadata'] },
);

/** Any well-formed command of the world, most of them transfers. */
export const ledgerCommands: fc.Arbitrary<LedgerCommand> = fc.oneof(
  { weight: 14, arbitrary: postTransfers },
  { weight: 1, arbitrary: fc.constant({ type: 'OpenLedger' as const, ledger: TEST_LEDGER }) },
  { weight: 1, arbitrary: registerAssets },
  { weight: 2, arbitrary: openAccounts },
  { weight: 3, arbitrary: changeAccounts },
  { weight: 3, arbitrary: setAccountStatuses },
  { weight: 1, arbitrary: closings },
  { weight: 2, arbitrary: changeTransferMetadata },
);

/** One client's attempt: a command, under a key that others may use too, some time after the attempt before. */
export interface Attempt {
  readonly command: LedgerCommand;
  readonly circumstances: Circumstances;
  readonly laterMillis: number;
}

export const attempts: fc.Arbitrary<Attempt> = fc.record({
  command: ledgerCommands,
  circumstances: fc.record(
    {
      actor: fc.constantFrom('shop', 'bank'),
      key: fc.integer({ min: 1, max: 60 }).map((number) => `attempt-${number}`),
      dryRun: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    },
    { requiredKeys: ['actor'] },
  ),
  laterMillis: fc.nat({ max: 5000 }),
});

export const histories: fc.Arbitrary<readonly Attempt[]> = fc.array(attempts, {
  minLength: 1,
  maxLength: 25,
  size: '+1',
});
