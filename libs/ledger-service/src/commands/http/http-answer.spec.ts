import { readFileSync } from 'node:fs';
import type { Position } from '@holdfast/event-store';
import { type Answerable, answerOf } from '@holdfast/ledger';
import { describe, expect, it } from '@jest/globals';
import { outcomeAnswer, recordedAnswer } from './http-answer.js';
import { requestHash } from '@holdfast/nestjs/http';

const LOG = {
  logId: '3f7a52a9c1d24c0d8b6f3a1e5d7c9b20',
  durablePosition: 1_000 as Position,
  newestTimeline: '5e0a1b2c3d4e5f60',
  timelineAt: () => '5e0a1b2c3d4e5f60',
};
type Fact = {
  readonly [Type in Answerable['type']]: Omit<
    Extract<Answerable, { type: Type }>,
    'recordedAtMillis'
  >;
}[Answerable['type']];

const RECORDED_AT = Date.UTC(2026, 10, 23, 10);
const account = {
  accountId: 'alice',
  asset: 'EUR',
  normalSide: 'credit',
  floor: '0',
  ceiling: null,
  status: 'active',
  metadata: { owner: 'Zoë' },
  version: 3,
  openedAt: '2026-11-23T10:00:00.000Z',
} as const;

const TRANSFER_ID = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';
const OPENED_AT = '2026-11-23T10:00:00.000Z';

const events: readonly Fact[] = [
  { type: 'LedgerOpened', data: { ledger: 'main', openedAt: OPENED_AT } },
  {
    type: 'AssetRegistered',
    data: { ledger: 'main', asset: 'EUR', scale: 2, registeredAt: OPENED_AT },
  },
  { type: 'AccountOpened', data: { ledger: 'main', account } },
  { type: 'AccountPolicyChanged', data: { ledger: 'main', account } },
  { type: 'AccountStatusChanged', data: { ledger: 'main', account } },
  { type: 'MetadataChanged', data: { ledger: 'main', subject: 'account', account } },
  {
    type: 'MetadataChanged',
    data: {
      ledger: 'main',
      subject: 'transfer',
      transferId: TRANSFER_ID,
      metadata: { a: '1' },
      version: 2,
    },
  },
  {
    type: 'TransferPosted',
    data: {
      ledger: 'main',
      transferId: TRANSFER_ID,
      reference: 'invoice 1',
      effectiveAt: '2026-11-22T00:00:00.000Z',
      legs: [
        { accountId: 'world', side: 'debit', amount: '5' },
        { accountId: 'alice', side: 'credit', amount: '5' },
      ],
      balances: [
        {
          accountId: 'world',
          asset: 'EUR',
          normalSide: 'credit',
          debitsPosted: '5',
          creditsPosted: '0',
          entryVersion: 1,
        },
        {
          accountId: 'alice',
          asset: 'EUR',
          normalSide: 'credit',
          debitsPosted: '0',
          creditsPosted: '5',
          entryVersion: 1,
        },
      ],
    },
  },
  ...rejections().map((data) => ({ type: 'CommandRejected', data }) as const),
  {
    type: 'CommandUnchanged',
    data: { ledger: 'main', command: 'OpenLedger', openedAt: OPENED_AT },
  },
  {
    type: 'CommandUnchanged',
    data: {
      ledger: 'main',
      command: 'RegisterAsset',
      asset: 'EUR',
      scale: 2,
      registeredAt: OPENED_AT,
    },
  },
  {
    type: 'CommandRejected',
    data: {
      ...{ ledger: 'main', command: 'OpenAccount', problem: 'account-exists' },
      parameters: { accountId: 'alice', asset: 'EUR', normalSide: 'credit' },
    },
  },
];

/*
 * Recorded answers are frozen: a client may ask again years later and must get the same bytes. When this fails, mend what was
 * changed, and never the golden file. An answer of a new kind is added at its end.
 */
describe('recorded answers', () => {
  const golden = JSON.parse(
    readFileSync(new URL('./http-answer.golden.json', import.meta.url), 'utf8'),
  ) as readonly string[];

  it.each(events.map((event, index) => [index, event] as const))(
    'number %i never changes',
    (index, event) => {
      const answer = answerOf({ ...event, recordedAtMillis: RECORDED_AT });
      const { status, headers, body } = recordedAnswer(answer, LOG, positionOf(index));
      expect(`${status} ${JSON.stringify(headers)} ${JSON.stringify(body)}`).toBe(golden[index]);
    },
  );

  it('cover every event and every refusal that is recorded', () => {
    expect(golden).toHaveLength(events.length);
    expect(new Set(rejections().map(({ problem }) => problem)).size).toBe(17);
  });
});

it('a key that was used for another request is refused in words that may change: no event holds the refusal', () => {
  const rejection = { problem: 'idempotency-key-reused', parameters: { key: 'k' } } as const;
  expect(outcomeAnswer({ kind: 'refused', rejection }, LOG)).toMatchObject({
    status: 422,
    body: {
      type: '/problems/idempotency-key-reused',
      detail: 'A repeated request must be the same in method, path, If-Match and body.',
      key: 'k',
    },
  });
});

describe('request hashes', () => {
  it('never change, or no repeated request would be recognised', () => {
    const body = {
      reference: 'ä',
      legs: [{ side: 'debit', amount: '1', accountId: 'a' }],
      metadata: { b: '', a: '1' },
    };
    expect(requestHash({ method: 'POST', path: '/v1/ledgers/main/transfers', body })).toBe(
      'q8RPwqJ0nffywKCelyqV9UR-Cy3aDVnuzTBuudXbTV0',
    );
    expect(
      requestHash({
        method: 'PATCH',
        path: '/v1/ledgers/main/accounts/a',
        ifMatch: '"3"',
        body: { floor: null, ceiling: undefined },
      }),
    ).toBe('82R9ZG8xzjTwGD_IJVbRzz2WcrxsMnxbUyhbvcZIoTg');
  });
});

/** In the log of the golden file. Position 24 was a refusal that is never recorded, and has no answer any more. */
function positionOf(index: number): Position {
  return (index + 1 < 24 ? index + 1 : index + 2) as Position;
}

function rejections() {
  const rejected = { ledger: 'main', command: 'PostTransfer' } as const;
  return [
    { ...rejected, problem: 'ledger-not-found', parameters: { ledger: 'main' } },
    { ...rejected, problem: 'asset-not-found', parameters: { asset: 'EUR' } },
    { ...rejected, problem: 'account-not-found', parameters: { accountId: 'alice' } },
    { ...rejected, problem: 'transfer-not-found', parameters: { transferId: TRANSFER_ID } },
    { ...rejected, problem: 'account-exists', parameters: { accountId: 'alice' } },
    {
      ...rejected,
      problem: 'asset-scale-differs',
      parameters: { asset: 'EUR', scale: 2, requestedScale: 3 },
    },
    {
      ...rejected,
      problem: 'reference-exists',
      parameters: { reference: 'r', transferId: TRANSFER_ID },
    },
    {
      ...rejected,
      problem: 'account-frozen',
      parameters: { accountId: 'alice', accountStatus: 'frozen' },
    },
    { ...rejected, problem: 'account-closed', parameters: { accountId: 'alice' } },
    {
      ...rejected,
      problem: 'account-not-empty',
      parameters: { accountId: 'alice', balance: '5', debitsPending: '0', creditsPending: '0' },
    },
    {
      ...rejected,
      problem: 'version-mismatch',
      parameters: { resource: 'account', id: 'alice', expectedVersion: 1, actualVersion: 2 },
    },
    {
      ...rejected,
      problem: 'insufficient-funds',
      parameters: { accountId: 'alice', needed: '7', available: '5', floor: '0' },
    },
    {
      ...rejected,
      problem: 'ceiling-exceeded',
      parameters: { accountId: 'alice', added: '7', balance: '5', ceiling: '10' },
    },
    {
      ...rejected,
      problem: 'legs-unbalanced',
      parameters: { asset: 'EUR', debits: '1', credits: '2' },
    },
    {
      ...rejected,
      problem: 'amount-overflow',
      parameters: { accountId: 'alice', counter: 'debitsPosted' },
    },
    {
      ...rejected,
      problem: 'effective-in-future',
      parameters: { effectiveAt: '2999-01-01T00:00:00.000Z', now: '2026-11-23T10:00:00.000Z' },
    },
    { ...rejected, problem: 'metadata-keys-exceeded', parameters: { keys: 51, keysMax: 50 } },
  ] as const;
}
