import type { RecordedEvent } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import { evolve } from './evolve.js';
import { FrozenStateStore, TestBooks, worldSetUp } from './testing/index.js';

describe('applying events to the state', () => {
  const { events } = new TestBooks().given(...worldSetUp);
  const posted = events.at(-1)!;

  it('keeps what decisions need, as JSON, in named sections', () => {
    const books = new TestBooks(new TestBooks().given(...worldSetUp));
    books.execute(
      {
        type: 'PostTransfer',
        ledger: 'main',
        reference: 'invoice 1',
        metadata: { note: 'shoes' },
        legs: [
          { accountId: 'cash', side: 'debit', amount: '7' },
          { accountId: 'spare', side: 'credit', amount: '7' },
        ],
      },
      { key: 'k', bodyHash: 'h', actor: 'shop' },
    );
    const { position, data } = books.last();
    const { transferId } = data as { transferId: string };
    const image = books.store.image();
    expect(image).toMatchObject({
      'ledgers/main': { position: 1 },
      'assets/main/EUR': { scale: 2, position: 2 },
      'accounts/main/spare': { creditsPosted: '7', entryVersion: 1, version: 1 },
      'account-metadata/main/dora': { owner: 'Dora' },
      'references/main/invoice 1': transferId,
    });
    expect(image[`transfers/main/${transferId}`]).toEqual({
      position,
      version: 1,
      metadata: { note: 'shoes' },
    });
    expect(JSON.parse(JSON.stringify(image))).toEqual(image);
  });

  it.each([
    ['an event of another program', { ...posted, type: 'OrderShipped' }],
    ['a name that every object has', { ...posted, type: 'toString' }],
    ['a version of a later program', { ...posted, schemaVersion: 2 }],
  ])('refuses %s, for to skip it would be to forget money', (_name, event: RecordedEvent) => {
    const state = new FrozenStateStore();
    expect(() => evolve(event, state)).toThrow(
      expect.objectContaining({ code: 'LEDGER_EVENT_UNKNOWN' }),
    );
    expect(state.image()).toEqual({});
  });

  it.each([
    ['a transfer applied twice', [...events, posted]],
    ['a transfer left out', [...events.slice(0, -2), posted, posted]],
    ['an account opened twice', [...events, events[3]!]],
    ['a transfer of accounts that were never opened', [posted]],
  ])('finds a history that is not ours: %s', (_name, history: readonly RecordedEvent[]) => {
    const state = new FrozenStateStore();
    expect(() => history.forEach((event) => evolve(event, state))).toThrow(
      expect.objectContaining({ name: 'AssertionFailed' }),
    );
  });
});
