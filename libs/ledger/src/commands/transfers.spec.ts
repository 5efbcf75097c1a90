import { beforeEach, describe, expect, it } from '@jest/globals';
import { COUNTER_LIMIT } from '../balance.js';
import { LEGS_MAX, type Side } from '../fields.js';
import { TEST_START_MILLIS, TestBooks, commandId, worldSetUp } from '../testing/index.js';
import type { PostTransfer, PostTransferLeg } from './post-transfer.js';

let books: TestBooks;
beforeEach(() => {
  books = new TestBooks().given(...worldSetUp);
});

const debit = (accountId: string, amount: string | bigint) => leg(accountId, 'debit', amount);
const credit = (accountId: string, amount: string | bigint) => leg(accountId, 'credit', amount);

function leg(accountId: string, side: Side, amount: string | bigint): PostTransferLeg {
  return { accountId, side, amount: String(amount) };
}

function transfer(...legs: readonly PostTransferLeg[]): PostTransfer {
  return { type: 'PostTransfer', ledger: 'main', legs };
}

function rejectionOf(command: PostTransfer) {
  const decision = books.execute(command);
  return decision.kind === 'refused' ? decision.rejection : decision.kind;
}

describe('posting a transfer', () => {
  it('posts many legs in several assets at once, each balanced by itself', () => {
    books.given(
      transfer(
        debit('alice', '100'),
        credit('dora', '7'),
        debit('dollars', '7'),
        credit('spare', '60'),
        credit('bank', '40'),
      ),
    );
    expect(books.last().data).toMatchObject({
      balances: [
        {
          accountId: 'alice',
          asset: 'EUR',
          debitsPosted: '100',
          creditsPosted: '1000',
          entryVersion: 2,
        },
        {
          accountId: 'dora',
          asset: 'USD',
          debitsPosted: '0',
          creditsPosted: '507',
          entryVersion: 2,
        },
        {
          accountId: 'dollars',
          asset: 'USD',
          debitsPosted: '507',
          creditsPosted: '0',
          entryVersion: 2,
        },
        {
          accountId: 'spare',
          asset: 'EUR',
          debitsPosted: '0',
          creditsPosted: '60',
          entryVersion: 1,
        },
        {
          accountId: 'bank',
          asset: 'EUR',
          debitsPosted: '2000',
          creditsPosted: '40',
          entryVersion: 2,
        },
      ],
    });
  });

  it('adds 36 digits to the last unit', () => {
    const huge = '9'.repeat(36);
    books.given(
      transfer(debit('cash', huge), credit('spare', huge)),
      transfer(debit('cash', '1'), credit('spare', '1')),
    );
    expect(books.view.account('main', 'spare')?.creditsPosted).toBe(`1${'0'.repeat(36)}`);
  });

  it('refuses legs that do not balance, and legs that balance only across assets', () => {
    expect(rejectionOf(transfer(debit('cash', '5'), credit('spare', '4')))).toEqual({
      problem: 'legs-unbalanced',
      parameters: { asset: 'EUR', debits: '5', credits: '4' },
    });
    expect(rejectionOf(transfer(debit('cash', '5'), credit('dora', '5')))).toEqual({
      problem: 'legs-unbalanced',
      parameters: { asset: 'EUR', debits: '5', credits: '0' },
    });
  });

  it('refuses an account that does not exist in this ledger', () => {
    books.given({ type: 'OpenLedger', ledger: 'second' });
    expect(
      rejectionOf({ ...transfer(debit('cash', '1'), credit('spare', '1')), ledger: 'second' }),
    ).toEqual({
      problem: 'account-not-found',
      parameters: { accountId: 'cash' },
    });
  });

  it('carries as many legs as are allowed', () => {
    const half = LEGS_MAX / 2;
    const legs = Array.from({ length: half }, () => [
      debit('cash', '1'),
      credit('spare', '1'),
    ]).flat();
    books.given(transfer(...legs));
    expect(books.view.account('main', 'spare')).toMatchObject({
      creditsPosted: String(half),
      entryVersion: 1,
    });
  });
});

describe('floors and ceilings', () => {
  it('lets an account go down to its floor and not one unit further', () => {
    expect(rejectionOf(transfer(debit('alice', '1000'), credit('spare', '1000')))).toBe('accepted');
    expect(rejectionOf(transfer(debit('alice', '1'), credit('spare', '1')))).toEqual({
      problem: 'insufficient-funds',
      parameters: { accountId: 'alice', needed: '1', available: '0', floor: '0' },
    });
  });

  it('lets an account overdraw to a negative floor', () => {
    expect(rejectionOf(transfer(debit('bob', '100'), credit('spare', '100')))).toBe('accepted');
    expect(rejectionOf(transfer(debit('bob', '1'), credit('spare', '1')))).toEqual({
      problem: 'insufficient-funds',
      parameters: { accountId: 'bob', needed: '1', available: '-100', floor: '-100' },
    });
  });

  it('lowers a debit-normal account by credits', () => {
    expect(rejectionOf(transfer(debit('spare', '2501'), credit('bank', '2501')))).toMatchObject({
      parameters: { accountId: 'spare' },
    });
    expect(rejectionOf(transfer(debit('cash', '2501'), credit('bank', '2501')))).toEqual({
      problem: 'insufficient-funds',
      parameters: { accountId: 'bank', needed: '2501', available: '2000', floor: '-500' },
    });
  });

  it('lets an account rise to its ceiling and not one unit further', () => {
    expect(rejectionOf(transfer(debit('cash', '300'), credit('bob', '300')))).toBe('accepted');
    expect(rejectionOf(transfer(debit('cash', '1'), credit('bob', '1')))).toEqual({
      problem: 'ceiling-exceeded',
      parameters: { accountId: 'bob', added: '1', balance: '300', ceiling: '300' },
    });
  });

  it('checks the net effect: an account that pays and is paid needs only the difference', () => {
    expect(
      rejectionOf(
        transfer(debit('alice', '5000'), credit('alice', '4001'), credit('spare', '999')),
      ),
    ).toBe('accepted');
    expect(rejectionOf(transfer(credit('bob', '5000'), debit('bob', '5000')))).toBe('accepted');
  });

  it('always lets an account move back towards its limits', () => {
    const target = { type: 'ChangeAccount', ledger: 'main', accountId: 'alice' } as const;
    books.given({ ...target, floor: '2000', ceiling: '3000' });
    expect(rejectionOf(transfer(debit('cash', '1'), credit('alice', '1')))).toBe('accepted');
    expect(rejectionOf(transfer(debit('alice', '1'), credit('spare', '1')))).toMatchObject({
      problem: 'insufficient-funds',
    });
    books.given({ ...target, floor: null, ceiling: '10' });
    expect(rejectionOf(transfer(debit('alice', '1'), credit('spare', '1')))).toBe('accepted');
    expect(rejectionOf(transfer(debit('cash', '1'), credit('alice', '1')))).toMatchObject({
      problem: 'ceiling-exceeded',
    });
  });

  it('counts what is pending on the lowering side as spent, and not what is still to come', () => {
    const accounts = books.store.section<object>('accounts');
    const pending = { debitsPending: '300', creditsPending: '999' };
    accounts.set('main/alice', { ...accounts.get('main/alice'), ...pending });
    expect(rejectionOf(transfer(debit('alice', '701'), credit('spare', '701')))).toEqual({
      problem: 'insufficient-funds',
      parameters: { accountId: 'alice', needed: '701', available: '700', floor: '0' },
    });
    books.given(transfer(debit('alice', '700'), credit('spare', '700')));
    expect(books.last().data).toMatchObject({ balances: [pending, { accountId: 'spare' }] });
    expect(books.view.account('main', 'alice')).toMatchObject(pending);
  });

  it('refuses what a counter of 127 bits cannot hold, before any limit', () => {
    const accounts = books.store.section<object>('accounts');
    const nearlyFull = { creditsPosted: String(COUNTER_LIMIT - 10n), ceiling: '0' };
    accounts.set('main/spare', { ...accounts.get('main/spare'), ...nearlyFull });
    expect(rejectionOf(transfer(debit('cash', '10'), credit('spare', '10')))).toEqual({
      problem: 'amount-overflow',
      parameters: { accountId: 'spare', counter: 'creditsPosted' },
    });
    accounts.set('main/spare', { ...accounts.get('main/spare'), ceiling: null });
    expect(rejectionOf(transfer(debit('cash', '9'), credit('spare', '9')))).toBe('accepted');
  });
});

describe('the status of an account', () => {
  const setStatus = (status: 'debit_frozen' | 'frozen' | 'closed', accountId = 'spare') =>
    books.given({
      type: 'SetAccountStatus',
      ledger: 'main',
      accountId,
      expectedVersion: 1,
      status,
    });

  it.each([
    [
      'debit_frozen',
      'accepted',
      {
        problem: 'account-frozen',
        parameters: { accountId: 'alice', accountStatus: 'debit_frozen' },
      },
    ],
    [
      'frozen',
      expect.objectContaining({ problem: 'account-frozen' }),
      { problem: 'account-frozen', parameters: { accountId: 'alice', accountStatus: 'frozen' } },
    ],
  ] as const)('%s decides what may be posted', (status, onCredit, onDebit) => {
    setStatus(status, 'alice');
    expect(rejectionOf(transfer(debit('cash', '1'), credit('alice', '1')))).toEqual(onCredit);
    expect(rejectionOf(transfer(debit('alice', '1'), credit('cash', '1')))).toEqual(onDebit);
  });

  it('closed accepts nothing', () => {
    setStatus('closed');
    expect(rejectionOf(transfer(debit('cash', '1'), credit('spare', '1')))).toEqual({
      problem: 'account-closed',
      parameters: { accountId: 'spare' },
    });
  });

  it('debit_frozen refuses a debit leg even where the credits outweigh it', () => {
    setStatus('debit_frozen', 'alice');
    expect(
      rejectionOf(transfer(debit('cash', '4'), credit('alice', '5'), debit('alice', '1'))),
    ).toMatchObject({ problem: 'account-frozen' });
  });
});

describe('what a caller says of a transfer', () => {
  const pay = transfer(debit('cash', '1'), credit('spare', '1'));

  it('uses a reference once, and a refused transfer does not use it', () => {
    const named = { ...pay, reference: 'invoice 1' };
    expect(
      rejectionOf({
        ...transfer(debit('cash', '2'), credit('spare', '1')),
        reference: 'invoice 1',
      }),
    ).toMatchObject({
      problem: 'legs-unbalanced',
    });
    books.given(named);
    const { transferId } = books.last().data as { transferId: string };
    expect(rejectionOf(named)).toEqual({
      problem: 'reference-exists',
      parameters: { reference: 'invoice 1', transferId },
    });
  });

  it('keeps references of different ledgers apart', () => {
    books.given(
      { type: 'OpenLedger', ledger: 'second' },
      { type: 'RegisterAsset', ledger: 'second', asset: 'EUR', scale: 2 },
      ...['cash', 'spare'].map((accountId) => ({
        type: 'OpenAccount' as const,
        ledger: 'second',
        accountId,
        asset: 'EUR',
        normalSide: 'debit' as const,
        floor: null,
      })),
      { ...pay, reference: 'invoice 1' },
      { ...pay, ledger: 'second', reference: 'invoice 1' },
    );
    expect(books.view.reference('second', 'invoice 1')).not.toBe(
      books.view.reference('main', 'invoice 1'),
    );
  });

  it('is effective when it says, now when it says nothing, and never in the future', () => {
    books.given({ ...pay, effectiveAt: '1993-01-01T00:00:00Z' });
    expect(books.last().data).toMatchObject({ effectiveAt: '1993-01-01T00:00:00.000Z' });
    books.given(pay);
    expect(books.last().data).toMatchObject({ effectiveAt: '2026-11-23T10:00:00.000Z' });
    books.given({ ...pay, effectiveAt: new Date(TEST_START_MILLIS).toISOString() });
    expect(rejectionOf({ ...pay, effectiveAt: '2026-11-23T10:00:00.001Z' })).toEqual({
      problem: 'effective-in-future',
      parameters: { effectiveAt: '2026-11-23T10:00:00.001Z', now: '2026-11-23T10:00:00.000Z' },
    });
  });

  it('posts only on balances that the caller has seen, leg by leg', () => {
    const [first, second] = pay.legs as [PostTransferLeg, PostTransferLeg];
    const seen = transfer({ ...first, expectedVersion: 2 }, { ...second, expectedVersion: 0 });
    expect(rejectionOf(seen)).toBe('accepted');
    expect(rejectionOf(seen)).toEqual({
      problem: 'version-mismatch',
      parameters: { resource: 'balance', id: 'cash', expectedVersion: 2, actualVersion: 3 },
    });
  });

  it('leaves out of the event what the command leaves out', () => {
    books.given({ ...pay, metadata: {} });
    expect(Object.keys(books.last().data)).toEqual([
      'ledger',
      'transferId',
      'effectiveAt',
      'legs',
      'balances',
    ]);
  });
});

describe('changing the metadata of a transfer', () => {
  const posted = commandId(worldSetUp.length + 1);
  const change = { type: 'ChangeTransferMetadata', ledger: 'main', transferId: posted } as const;
  beforeEach(() => {
    const pay = transfer(debit('cash', '1'), credit('spare', '1'));
    books.given({ ...pay, metadata: { order: '7', note: 'shoes' } });
  });

  it('merges, counts versions, and touches nothing else', () => {
    const { position } = books.last();
    books.given({ ...change, expectedVersion: 1, metadata: { note: null, colour: 'red' } });
    expect(books.last()).toMatchObject({
      type: 'MetadataChanged',
      stream: `main/transfer/${posted}`,
      version: 2,
      data: {
        ledger: 'main',
        subject: 'transfer',
        transferId: posted,
        metadata: { order: '7', colour: 'red' },
        version: 2,
      },
    });
    books.given({ ...change, metadata: { order: null, colour: null } });
    expect(books.view.transfer('main', posted)).toEqual({ position, version: 3 });
  });

  it('refuses what its caller has not seen, and transfers that are not there', () => {
    books.given({ ...change, expectedVersion: 1, metadata: {} });
    for (const expectedVersion of [1, 3]) {
      expect(books.execute({ ...change, expectedVersion, metadata: {} })).toMatchObject({
        rejection: {
          problem: 'version-mismatch',
          parameters: { resource: 'transfer', id: posted, expectedVersion, actualVersion: 2 },
        },
      });
    }
    const nobody = commandId(999);
    expect(books.execute({ ...change, transferId: nobody, metadata: {} })).toMatchObject({
      rejection: { problem: 'transfer-not-found', parameters: { transferId: nobody } },
    });
  });

  it('refuses more metadata than a transfer may have, counting what stays', () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 49 }, (_, index) => [`k${index}`, '']),
    );
    expect(books.execute({ ...change, metadata })).toMatchObject({
      kind: 'refused',
      rejection: { problem: 'metadata-keys-exceeded' },
      appends: [{ stream: 'main/rejections' }],
    });
  });
});
