import type { FieldRule } from '@holdfast/commands';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  accountIdRule,
  amountRule,
  assetRule,
  instantMillis,
  instantRule,
  instantText,
  ledgerRule,
  limitRule,
  metadataKeyRule,
  metadataValueRule,
  referenceRule,
  scaleRule,
  sideRule,
  uuidRule,
  versionRule,
} from './fields.js';

const emoji = '😀';

const table: readonly [string, FieldRule, accepted: unknown[], refused: unknown[]][] = [
  [
    'ledger',
    ledgerRule,
    ['m', 'main', '2026.eu-1', 'a'.repeat(64)],
    ['', '.', '-a', 'a/b', 'a'.repeat(65), 'é'],
  ],
  [
    'asset',
    assetRule,
    ['E', 'EUR', 'X2Y', 'A'.repeat(17)],
    ['', 'eur', '2X', 'E R', 'A'.repeat(18)],
  ],
  [
    'accountId',
    accountIdRule,
    ['a', '0', '_', 'alice@example.com', 'wallet:1', 'a'.repeat(128)],
    ['', '.', '..', '-', 'a/b', 'a b', 'a\n', 'a'.repeat(129), 7],
  ],
  [
    'uuid',
    uuidRule,
    ['01234567-89ab-7def-8123-456789abcdef'],
    ['', '01234567-89AB-7def-8123-456789abcdef', '0'.repeat(36)],
  ],
  [
    'amount',
    amountRule,
    ['1', '10', '9'.repeat(36)],
    ['', '0', '01', '-1', '+1', '1.0', '1e3', ' 1', '1\n', '１', '9'.repeat(37), 1, 1n, null],
  ],
  [
    'limit',
    limitRule,
    ['0', '1', '-1', `-${'9'.repeat(36)}`],
    ['', '-0', '00', '--1', '-', '9'.repeat(37), 0],
  ],
  [
    'reference',
    referenceRule,
    ['x', 'Rechnung № 7', emoji.repeat(128)],
    ['', 'a\0', 'a\tb', 'a\u0085', '\ud83d', 'x'.repeat(129), emoji.repeat(129)],
  ],
  [
    'metadata key',
    metadataKeyRule,
    ['a', '7', emoji.repeat(40), 'constructor', '__proto__x'],
    ['', '__proto__', 'a\n', 'x'.repeat(41)],
  ],
  [
    'metadata value',
    metadataValueRule,
    ['', 'a\nb\t', emoji.repeat(500)],
    ['\0', '\udc00', 'x'.repeat(501), null, 1],
  ],
  ['side', sideRule, ['debit', 'credit'], ['', 'Debit', 0, null]],
  ['scale', scaleRule, [0, 2, 18], [-1, 19, 1.5, NaN, '2', null]],
  ['version', versionRule, [0, 1, Number.MAX_SAFE_INTEGER], [-1, 0.5, 2 ** 53, '1', null]],
  [
    'instant',
    instantRule,
    [
      '2026-11-23T10:00:00Z',
      '2024-02-29T23:59:59.999Z',
      '1993-01-01T00:00:00.5Z',
      '0001-01-01T00:00:00Z',
    ],
    [
      '2026-11-23',
      '2026-11-23T10:00:00',
      '2026-11-23T10:00:00+01:00',
      '2026-02-29T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-11-23T24:00:00Z',
      '2026-11-23T23:59:60Z',
      '2026-13-01T00:00:00Z',
      '2026-11-23T10:00:00.0000Z',
      '2026-11-23t10:00:00z',
      0,
    ],
  ],
];

describe('field rules', () => {
  it.each(table)('accepts and refuses as documented: %s', (_name, rule, accepted, refused) => {
    expect(accepted.filter((value) => !rule.accepts(value))).toEqual([]);
    expect(refused.filter((value) => rule.accepts(value))).toEqual([]);
  });

  it('writes a time so that it reads the same again', () => {
    const millis = fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(millis, (time) => {
        expect(instantMillis(instantText(time))).toBe(time);
      }),
      { numRuns: runs({ short: 500, long: 3_000 }) },
    );
  });

  it('reads a shorter fraction as the same part of a second', () => {
    expect(instantMillis('2026-11-23T10:00:00.5Z')).toBe(Date.UTC(2026, 10, 23, 10, 0, 0, 500));
  });
});
