import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { PatientIterator } from './patient-iterator.js';

async function* slowly(millis: number, ...values: (number | Error)[]): AsyncGenerator<number> {
  for (const value of values) {
    await sleep(millis);
    if (typeof value !== 'number') throw value;
    yield value;
  }
}

describe('a patient iterator', () => {
  it('gives each value once, whether its wait was long enough or not', async () => {
    const iterator = new PatientIterator(slowly(20, 1, 2, 3));
    const got: unknown[] = [];
    for (let waits = 0; waits < 1_000 && got.length < 4; waits += 1) {
      const next = await iterator.next(waits % 5);
      if (next !== undefined) got.push(next.done === true ? 'end' : next.value);
    }
    expect(got).toEqual([1, 2, 3, 'end']);
    expect(await iterator.next(5)).toMatchObject({ done: true });
  });

  it('throws what came while nobody waited at the next wait', async () => {
    const iterator = new PatientIterator(slowly(10, new Error('late')));
    expect(await iterator.next(0)).toBeUndefined();
    await sleep(30);
    await expect(iterator.next(0)).rejects.toThrow('late');
  });
});
