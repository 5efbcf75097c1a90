import { describe, expect, it } from '@jest/globals';
import { newUuidV7 } from './uuid-v7.js';

describe('a UUIDv7', () => {
  it('starts with its time and says its version and variant', () => {
    const millis = Date.UTC(2026, 10, 23, 10);
    expect(newUuidV7(millis)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(parseInt(newUuidV7(millis).replaceAll('-', '').slice(0, 12), 16)).toBe(millis);
    expect(newUuidV7(0).slice(0, 13)).toBe('00000000-0000');
  });

  it('is another one each time, also beyond one draw of random bytes', () => {
    const ids = Array.from({ length: 2_000 }, () => newUuidV7(1));
    expect(new Set(ids).size).toBe(2_000);
    // Each random bit is both 0 and 1 somewhere: all 74 but the first, which the library keeps for those who count within a millisecond.
    const digits = ids.map((id) => BigInt(`0x${id.replaceAll('-', '')}`));
    const some = digits.reduce((seen, id) => seen | id, 0n);
    const every = digits.reduce((seen, id) => seen & id);
    const varying = (some ^ every).toString(2).replaceAll('0', '');
    expect(varying).toHaveLength(73);
  });
});
