import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerCommand } from './ledger-command.js';
import { malformationOf } from './malformation.js';
import { TEST_LEDGER, TestBooks, ledgerCommands, worldSetUp } from './testing/index.js';

const WORLD = new TestBooks().given(...worldSetUp);
const RUNS = { numRuns: runs({ short: 1_000, long: 5_000 }) };

const leg = { accountId: 'cash', side: 'debit', amount: '1' };
const transfer = {
  type: 'PostTransfer',
  ledger: TEST_LEDGER,
  legs: [leg, { accountId: 'alice', side: 'credit', amount: '1' }],
};
const opening = { type: 'OpenAccount', ledger: TEST_LEDGER, asset: 'EUR', normalSide: 'debit' };
const change = { type: 'ChangeAccount', ledger: TEST_LEDGER, accountId: 'cash' };
const fiftyOneKeys = Object.fromEntries(Array.from({ length: 51 }, (_, key) => [String(key), '']));

/** Anything in place of one field, wherever it is. */
const damagedCommands = fc
  .tuple(ledgerCommands, fc.nat(), fc.anything())
  .map(([command, choice, value]) => {
    const places = placesIn(command);
    return withValueAt(command, places[choice % places.length]!, value);
  });

function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...path, key])),
  ];
}

function withValueAt(target: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = Object.assign(Array.isArray(target) ? [] : {}, target) as Record<string, unknown>;
  copy[key] = withValueAt(copy[key], rest, value);
  return copy;
}

describe('malformed commands', () => {
  it.each([
    ['', null],
    ['', []],
    ['', 'OpenLedger'],
    ['type', {}],
    ['type', { type: 'toString', ledger: 'main' }],
    ['ledger', { type: 'OpenLedger' }],
    ['ledger', { type: 'OpenLedger', ledger: 'a/b' }],
    ['scale', { type: 'RegisterAsset', ledger: 'main', asset: 'EUR', scale: '2' }],
    ['accountId', { ...opening, accountId: 'a b' }],
    ['normalSide', { ...opening, normalSide: 'left' }],
    ['floor', { ...opening, floor: 0 }],
    ['ceiling', { ...opening, floor: '2', ceiling: '1' }],
    ['metadata', { ...opening, metadata: [] }],
    ['metadata', { ...opening, metadata: { note: null } }],
    ['metadata', { ...opening, metadata: fiftyOneKeys }],
    ['metadata', { ...opening, metadata: JSON.parse('{"__proto__":"x"}') as unknown }],
    ['floor', change],
    ['expectedVersion', { ...change, floor: null, expectedVersion: '1' }],
    ['metadata', { ...change, metadata: null }],
    ['status', { ...change, type: 'SetAccountStatus', expectedVersion: 1, status: 'open' }],
    ['expectedVersion', { ...change, type: 'SetAccountStatus', status: 'frozen' }],
    ['legs', { ...transfer, legs: undefined }],
    ['legs', { ...transfer, legs: [leg] }],
    ['legs', { ...transfer, legs: Array.from({ length: 65 }, () => leg) }],
    ['legs[1]', { ...transfer, legs: [leg, []] }],
    ['legs[1].amount', { ...transfer, legs: [leg, { ...leg, amount: 1 }] }],
    ['legs[0].expectedVersion', { ...transfer, legs: [{ ...leg, expectedVersion: -1 }, leg] }],
    ['reference', { ...transfer, reference: '' }],
    ['reference', { ...transfer, reference: null }],
    ['effectiveAt', { ...transfer, effectiveAt: 'yesterday' }],
    [
      'transferId',
      { type: 'ChangeTransferMetadata', ledger: 'main', transferId: '7', metadata: {} },
    ],
  ])('are told which field it is: %p', (field, command) => {
    const books = new TestBooks(WORLD);
    const decision = books.execute(command as LedgerCommand);
    expect(decision).toEqual({ kind: 'malformed', field, problem: expect.any(String) });
    expect(books.store.image()).toEqual(WORLD.store.image());
  });

  it('needs a key, an actor and a hash where a repetition would do harm', () => {
    const context = WORLD.context(transfer);
    const command = transfer as LedgerCommand;
    const fieldOf = (circumstances: object, ofCommand = command) => {
      const decision = WORLD.decide(ofCommand, { ...context, ...circumstances });
      return decision.kind === 'malformed' ? decision.field : decision.kind;
    };
    expect([
      fieldOf({ idempotency: undefined }),
      fieldOf({ idempotency: { key: '', bodyHash: 'hash' } }),
      fieldOf({ idempotency: { key: 'key', bodyHash: '' } }),
      fieldOf({ actor: 'a/b' }),
      fieldOf({ idempotency: undefined, dryRun: true }),
      fieldOf({ idempotency: undefined }, { type: 'OpenLedger', ledger: 'second' }),
    ]).toEqual(['idempotencyKey', 'idempotencyKey', 'bodyHash', 'actor', 'accepted', 'accepted']);
  });

  it('accepts every well-formed command', () => {
    fc.assert(
      fc.property(ledgerCommands, (command) => {
        expect(malformationOf(command)).toBeUndefined();
      }),
      RUNS,
    );
  });

  it('decides anything at all without throwing, and changes nothing by deciding', () => {
    const image = JSON.stringify(WORLD.store.image());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything({
            withBigInt: true,
            withDate: true,
            withMap: true,
            withNullPrototype: true,
            withSparseArray: true,
          }),
          damagedCommands,
        ),
        (value) => {
          const command = value as LedgerCommand;
          const decision = WORLD.decide(command, WORLD.context(null));
          const kinds = ['accepted', 'refused', 'unchanged', 'malformed'];
          expect(kinds).toContain(decision.kind);
          expect(decision.kind === 'malformed').toBe(malformationOf(value) !== undefined);
          if (decision.kind === 'accepted') JSON.stringify(decision.appends);
        },
      ),
      RUNS,
    );
    expect(JSON.stringify(WORLD.store.image())).toBe(image);
  });
});
