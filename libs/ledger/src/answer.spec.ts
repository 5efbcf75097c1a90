import { describe, expect, it } from '@jest/globals';
import { answerOf } from './answer.js';
import { ledgerModel } from './ledger-model.js';
import type { LedgerCommand } from './ledger-command.js';
import { TestBooks, commandId } from './testing/index.js';

const ledger = 'main';
const account = (accountId: string, asset: string): LedgerCommand => ({
  type: 'OpenAccount',
  ledger,
  accountId,
  asset,
  normalSide: 'credit',
  floor: null,
  metadata: { owner: 'Alice' },
});
const transfer: LedgerCommand = {
  type: 'PostTransfer',
  ledger,
  reference: 'invoice 1',
  effectiveAt: '2026-01-01T00:00:00Z',
  legs: [
    { accountId: 'alice', side: 'debit', amount: '5' },
    { accountId: 'shop', side: 'credit', amount: '5' },
  ],
};

const accountText =
  '{"ledger":"main","id":"alice","asset":"EUR","normalSide":"credit","floor":null,"ceiling":null,"status":"active",' +
  '"metadata":{"owner":"Alice"},"version":1,"openedAt":"2026-11-23T10:00:00.000Z"}';
const transferText =
  '{"ledger":"main","id":"00000000-0000-7000-8000-000000000005","reference":"invoice 1",' +
  '"effectiveAt":"2026-01-01T00:00:00.000Z","recordedAt":"2026-11-23T10:00:00.000Z",' +
  '"legs":[{"accountId":"alice","side":"debit","amount":"5","asset":"EUR"},' +
  '{"accountId":"shop","side":"credit","amount":"5","asset":"EUR"}],"metadata":{},"version":1}';

/** Byte for byte: clients store answers and compare them, and a repeated command must get the same again. */
const golden: readonly [name: string, command: LedgerCommand, answer: string][] = [
  [
    'a ledger',
    { type: 'OpenLedger', ledger },
    '{"kind":"ledger","created":true,"body":{"id":"main","openedAt":"2026-11-23T10:00:00.000Z"}}',
  ],
  [
    'an asset',
    { type: 'RegisterAsset', ledger, asset: 'EUR', scale: 2 },
    '{"kind":"asset","created":true,"body":{"ledger":"main","code":"EUR","scale":2,"registeredAt":"2026-11-23T10:00:00.000Z"}}',
  ],
  [
    'an account',
    account('alice', 'EUR'),
    `{"kind":"account","created":true,"body":${accountText}}`,
  ],
  [
    'another account',
    account('shop', 'EUR'),
    `{"kind":"account","created":true,"body":${accountText.replace('alice', 'shop')}}`,
  ],
  ['a transfer', transfer, `{"kind":"transfer","created":true,"body":${transferText}}`],
  [
    'a refusal',
    transfer,
    '{"kind":"rejection","rejection":{"problem":"reference-exists","parameters":{"reference":"invoice 1",' +
      '"transferId":"00000000-0000-7000-8000-000000000005"}}}',
  ],
  [
    'a new policy',
    { type: 'ChangeAccount', ledger, accountId: 'alice', ceiling: '9', metadata: { owner: null } },
    `{"kind":"account","created":false,"body":${accountText
      .replace('"ceiling":null', '"ceiling":"9"')
      .replace('"owner":"Alice"', '')
      .replace('"version":1', '"version":2')}}`,
  ],
  [
    'new metadata of an account',
    { type: 'ChangeAccount', ledger, accountId: 'shop', metadata: { owner: 'Shop' } },
    `{"kind":"account","created":false,"body":${accountText
      .replace('alice', 'shop')
      .replace('Alice', 'Shop')
      .replace('"version":1', '"version":2')}}`,
  ],
  [
    'a new status',
    { type: 'SetAccountStatus', ledger, accountId: 'shop', expectedVersion: 2, status: 'frozen' },
    `{"kind":"account","created":false,"body":${accountText
      .replace('alice', 'shop')
      .replace('Alice', 'Shop')
      .replace('active', 'frozen')
      .replace('"version":1', '"version":3')}}`,
  ],
  [
    'new metadata of a transfer',
    { type: 'ChangeTransferMetadata', ledger, transferId: commandId(5), metadata: { note: 'x' } },
    '{"kind":"transfer-metadata","created":false,"body":{"ledger":"main",' +
      '"transferId":"00000000-0000-7000-8000-000000000005","metadata":{"note":"x"},"version":2}}',
  ],
  [
    'a ledger that was there',
    { type: 'OpenLedger', ledger },
    '{"kind":"ledger","created":false,"body":{"id":"main","openedAt":"2026-11-23T10:00:00.000Z"}}',
  ],
  [
    'an asset that was there',
    { type: 'RegisterAsset', ledger, asset: 'EUR', scale: 2 },
    '{"kind":"asset","created":false,"body":{"ledger":"main","code":"EUR","scale":2,"registeredAt":"2026-11-23T10:00:00.000Z"}}',
  ],
];

describe('the answer to a command', () => {
  it('is the same text for ever', () => {
    const books = new TestBooks();
    const answers = golden.map(([name, command]) => {
      books.execute(command);
      return [name, JSON.stringify(answerOf(books.last()))];
    });
    expect(answers).toEqual(golden.map(([name, , answer]) => [name, answer]));
  });

  it('does not change when what it tells of changes', () => {
    const books = new TestBooks();
    const first = golden.map(([, command]) => {
      books.execute(command);
      return answerOf(books.last());
    });
    expect(books.events.map((_, index) => answerOf(books.eventAt((index + 1) as never)))).toEqual(
      first,
    );
  });

  it('of a dry run is that of its event at the present', () => {
    const books = new TestBooks().given(...golden.slice(0, 4).map(([, command]) => command));
    const context = { ...books.context(transfer), dryRun: true };
    const decision = books.decide(transfer, context);
    if (decision.kind !== 'accepted') throw new Error(decision.kind);
    const event = books.decisions.firstOf(decision.appends, context.nowMillis);
    const answer = ledgerModel.answerOf(event);
    expect(JSON.stringify(answer)).toBe(
      `{"kind":"transfer","created":true,"body":${transferText}}`,
    );
  });
});
