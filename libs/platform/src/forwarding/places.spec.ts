import { describe, expect, it } from '@jest/globals';
import { Places } from './places.js';

const never = new AbortController().signal;
const limits = { placesMax: 1, waitingMax: 2, waitMillisMax: 60_000 };

describe('places', () => {
  it('go to those who wait in the order in which they came, and no more may wait than the limit', async () => {
    const places = new Places(limits);
    const order: string[] = [];
    const enter = async (name: string) => {
      const giveBack = await places.take(never);
      order.push(name);
      return giveBack;
    };
    const giveBack = await enter('first');
    const second = enter('second');
    const third = enter('third');
    await expect(enter('fourth')).rejects.toMatchObject({
      slug: 'storage-unavailable',
      options: { outcome: 'not-applied' },
    });
    giveBack();
    (await second)();
    (await third)();
    (await enter('fifth'))();
    expect(order).toEqual(['first', 'second', 'third', 'fifth']);
  });

  it('are not kept for whoever has left', async () => {
    const places = new Places(limits);
    const giveBack = await places.take(never);
    const leaving = new AbortController();
    const left = places.take(leaving.signal);
    const next = places.take(never);
    leaving.abort('gone');
    await expect(left).rejects.toBe('gone');
    giveBack();
    (await next)();
    await expect(places.take(leaving.signal)).rejects.toBe('gone');
  });
});
