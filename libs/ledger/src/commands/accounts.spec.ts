import { beforeEach, describe, expect, it } from '@jest/globals';
import { METADATA_KEYS_MAX } from '../fields.js';
import { TEST_START_MILLIS, TestBooks, commandId, worldSetUp } from '../testing/index.js';
import type { ChangeAccount } from './change-account.js';
import type { OpenAccount } from './open-account.js';
import type { SetAccountStatus } from './set-account-status.js';

const opening: OpenAccount = {
  type: 'OpenAccount',
  ledger: 'main',
  accountId: 'carol',
  asset: 'EUR',
  normalSide: 'credit',
};

const carol = {
  accountId: 'carol',
  asset: 'EUR',
  normalSide: 'credit',
  floor: '0',
  ceiling: null,
  status: 'active',
  metadata: {},
  version: 1,
  openedAt: '2026-11-23T10:00:00.000Z',
};

let books: TestBooks;
beforeEach(() => {
  books = new TestBooks().given(...worldSetUp);
});

describe('opening an account', () => {
  it('starts it active, empty, with floor zero and no ceiling', () => {
    expect(books.execute(opening)).toMatchObject({
      appends: [{ stream: 'main/account/carol', expectedVersion: 'no-stream' }],
    });
    expect(books.last()).toMatchObject({
      type: 'AccountOpened',
      data: { ledger: 'main', account: carol },
    });
    expect(books.view.account('main', 'carol')).toEqual({
      asset: 'EUR',
      normalSide: 'credit',
      floor: '0',
      ceiling: null,
      status: 'active',
      version: 1,
      entryVersion: 0,
      debitsPosted: '0',
      creditsPosted: '0',
      debitsPending: '0',
      creditsPending: '0',
      openedAt: '2026-11-23T10:00:00.000Z',
    });
  });

  it('takes its policy and metadata as given; null is no floor', () => {
    const given = { floor: null, ceiling: '-5', metadata: { owner: 'Carol' } };
    books.execute({ ...opening, ...given });
    expect(books.last()).toMatchObject({ data: { account: { ...carol, ...given } } });
    expect(books.view.accountMetadata('main', 'carol')).toEqual({ owner: 'Carol' });
  });

  it('names an account after the command when the client names none', () => {
    const unnamed = { ...opening, accountId: undefined };
    const id = commandId(worldSetUp.length + 1);
    books.execute(unnamed);
    expect(books.last()).toMatchObject({
      stream: `main/account/${id}`,
      data: { account: { accountId: id } },
    });
  });

  it('refuses an id that is taken, and an asset that nobody registered', () => {
    expect(books.execute({ ...opening, accountId: 'alice', normalSide: 'debit' })).toMatchObject({
      rejection: {
        problem: 'account-exists',
        parameters: { accountId: 'alice', asset: 'EUR', normalSide: 'credit' },
      },
    });
    expect(books.execute({ ...opening, asset: 'XAU' })).toMatchObject({
      rejection: { problem: 'asset-not-found', parameters: { asset: 'XAU' } },
    });
  });
});

describe('changing an account', () => {
  const change: ChangeAccount = { type: 'ChangeAccount', ledger: 'main', accountId: 'carol' };
  beforeEach(() => {
    books.given({ ...opening, metadata: { owner: 'Carol', tier: 'gold' } });
  });

  it('sets what is given, keeps what is not, and carries the whole account', () => {
    books.nowMillis += 1000;
    books.given({ ...change, floor: '-100', expectedVersion: 1 });
    expect(books.last()).toMatchObject({
      type: 'AccountPolicyChanged',
      stream: 'main/account/carol',
      version: 2,
      data: {
        ledger: 'main',
        account: {
          ...carol,
          floor: '-100',
          metadata: { owner: 'Carol', tier: 'gold' },
          version: 2,
        },
      },
    });
    books.given({ ...change, ceiling: '7', floor: null });
    expect(books.view.account('main', 'carol')).toMatchObject({ floor: null, ceiling: '7' });
  });

  it('merges metadata: null removes, text sets, the rest stays', () => {
    books.given({ ...change, metadata: { tier: null, note: '', absent: null } });
    expect(books.last()).toMatchObject({
      type: 'MetadataChanged',
      data: { subject: 'account', account: { metadata: { owner: 'Carol', note: '' }, version: 2 } },
    });
    expect(books.view.accountMetadata('main', 'carol')).toEqual({ owner: 'Carol', note: '' });
  });

  it('changes policy and metadata in one event', () => {
    books.given({ ...change, ceiling: '9', metadata: { owner: null, tier: null } });
    expect(books.last()).toMatchObject({
      type: 'AccountPolicyChanged',
      data: { account: { ceiling: '9', metadata: {}, version: 2 } },
    });
    expect(books.store.image()['account-metadata/main/carol']).toBeUndefined();
  });

  it('refuses more metadata than an account may have, counting what stays', () => {
    const keys = Array.from({ length: METADATA_KEYS_MAX - 1 }, (_, index) => [`k${index}`, '']);
    const metadata = Object.fromEntries(keys) as Record<string, string>;
    const once = { key: 'once', bodyHash: 'h' };
    expect(books.execute({ ...change, metadata }, once)).toMatchObject({
      kind: 'refused',
      rejection: { problem: 'metadata-keys-exceeded', parameters: { keys: 51, keysMax: 50 } },
    });
    const { position } = books.last();
    books.given({ ...change, metadata: { owner: null, tier: null } });
    expect(books.execute({ ...change, metadata }, once)).toMatchObject({
      kind: 'replayed',
      event: { position },
    });
    expect(books.execute({ ...change, metadata }).kind).toBe('accepted');
  });

  it('keeps the balance and its version', () => {
    const pay = { accountId: 'cash', side: 'debit', amount: '5' } as const;
    const legs = [pay, { accountId: 'carol', side: 'credit', amount: '5' } as const];
    books.given({ type: 'PostTransfer', ledger: 'main', legs }, { ...change, ceiling: '1' });
    expect(books.view.account('main', 'carol')).toMatchObject({
      creditsPosted: '5',
      entryVersion: 1,
      version: 2,
    });
  });

  it('refuses what its caller has not seen, and accounts that are not there', () => {
    books.given({ ...change, floor: '-1', expectedVersion: 1 });
    for (const expectedVersion of [1, 3]) {
      expect(books.execute({ ...change, floor: null, expectedVersion })).toMatchObject({
        rejection: {
          problem: 'version-mismatch',
          parameters: { resource: 'account', id: 'carol', expectedVersion, actualVersion: 2 },
        },
      });
    }
    expect(books.execute({ ...change, accountId: 'nobody', floor: null })).toMatchObject({
      rejection: { problem: 'account-not-found', parameters: { accountId: 'nobody' } },
    });
  });
});

describe('setting the status of an account', () => {
  const status = (to: SetAccountStatus['status'], expectedVersion: number): SetAccountStatus => ({
    type: 'SetAccountStatus',
    ledger: 'main',
    accountId: 'spare',
    expectedVersion,
    status: to,
  });

  it('goes from any status to any other until it is closed', () => {
    books.given(
      status('debit_frozen', 1),
      status('frozen', 2),
      status('active', 3),
      status('frozen', 4),
      status('closed', 5),
    );
    expect(books.last()).toMatchObject({
      type: 'AccountStatusChanged',
      version: 6,
      data: { account: { accountId: 'spare', status: 'closed', version: 6 } },
    });
  });

  it('accepts the status that it has, so that the key is used up', () => {
    expect(books.execute(status('active', 1)).kind).toBe('accepted');
    expect(books.view.account('main', 'spare')).toMatchObject({ status: 'active', version: 2 });
  });

  it('closes for good', () => {
    books.given(status('closed', 1));
    const closed = { problem: 'account-closed', parameters: { accountId: 'spare' } };
    const target = { ledger: 'main', accountId: 'spare' };
    for (const command of [
      status('active', 2),
      status('closed', 2),
      { type: 'ChangeAccount', ...target, metadata: { a: 'b' } } as const,
    ]) {
      expect(books.execute(command)).toMatchObject({ kind: 'refused', rejection: closed });
    }
  });

  it('does not close an account with a balance', () => {
    expect(books.execute({ ...status('closed', 1), accountId: 'alice' })).toMatchObject({
      rejection: {
        problem: 'account-not-empty',
        parameters: {
          accountId: 'alice',
          balance: '1000',
          debitsPending: '0',
          creditsPending: '0',
        },
      },
    });
  });

  it('does not close an account with something pending', () => {
    const accounts = books.store.section<object>('accounts');
    accounts.set('main/spare', { ...accounts.get('main/spare'), creditsPending: '3' });
    expect(books.execute(status('closed', 1))).toMatchObject({
      rejection: { problem: 'account-not-empty', parameters: { creditsPending: '3' } },
    });
  });

  it('refuses what its caller has not seen', () => {
    books.given(status('debit_frozen', 1));
    for (const expectedVersion of [1, 3]) {
      expect(books.execute(status('active', expectedVersion))).toMatchObject({
        rejection: {
          problem: 'version-mismatch',
          parameters: { expectedVersion, actualVersion: 2 },
        },
      });
    }
  });
});

it('dates what happens by the time it was given', () => {
  books.nowMillis = TEST_START_MILLIS + 5;
  books.given(opening);
  expect(books.last()).toMatchObject({
    data: { account: { openedAt: '2026-11-23T10:00:00.005Z' } },
  });
});
