import { describe, expect, it } from '@jest/globals';
import { isDispensable } from './compaction.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from './key-retention.js';

const DAY_MILLIS = 86_400_000;
const at = (type: string, metadata: object = { actor: 'a' }) => ({
  ...{ type, metadata, recordedAtMillis: 1_000 },
});

describe('what the books can do without', () => {
  it('is a refusal whose key has expired, and not a moment earlier', () => {
    const expiry = 1_000 + KEY_RETENTION_MILLIS_DEFAULT;
    expect(isDispensable(at('CommandRejected'), expiry - 1)).toBe(false);
    expect(isDispensable(at('CommandRejected'), expiry)).toBe(true);
    const kept = at('CommandRejected', { actor: 'a', keyRetentionMillis: 90 * DAY_MILLIS });
    expect(isDispensable(kept, expiry)).toBe(false);
    expect(isDispensable(kept, 1_000 + 90 * DAY_MILLIS)).toBe(true);
  });

  it.each([
    'LedgerOpened',
    'AssetRegistered',
    'AccountOpened',
    'AccountPolicyChanged',
    'AccountStatusChanged',
    'TransferPosted',
    'MetadataChanged',
    'of another room',
  ])('is never %s', (type) => {
    expect(isDispensable(at(type), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});
