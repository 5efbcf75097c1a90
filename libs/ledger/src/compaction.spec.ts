import type { RecordedEvent } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { runs } from '@holdfast/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompactionPresent, dispensableAs } from './compaction.js';
import { evolve } from './evolve.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from '@holdfast/commands/reading';
import type { LedgerCommand } from './ledger-command.js';
import {
  type Attempt,
  FrozenStateStore,
  TEST_LEDGER,
  TestBooks,
  attempts,
  commandId,
  worldSetUp,
} from './testing/index.js';
import { expectSame } from './testing/expect-same.js';
import { RowsInMemory } from './testing/rows-in-memory.js';

const DAY_MILLIS = 86_400_000;
const EXPIRY = 1_000 + KEY_RETENTION_MILLIS_DEFAULT;

describe('what the books can do without', () => {
  const at = (type: string, metadata: object = { actor: 'a' }) => ({
    ...{ type, metadata, stream: 'main/account/alice', version: 2, recordedAtMillis: 1_000 },
  });
  const present = (nowMillis: number, isFollowed = true): CompactionPresent => ({
    nowMillis,
    isFollowed: (stream, version) => isFollowed && stream === 'main/account/alice' && version === 2,
  });

  it.each([
    ['CommandRejected', 'expiredRefusals'],
    ['MetadataChanged', 'supersededMetadata'],
  ])('is a %s whose key has expired, and not a moment earlier', (type, reason) => {
    expect(dispensableAs(at(type), present(EXPIRY - 1))).toBeUndefined();
    expect(dispensableAs(at(type), present(EXPIRY))).toBe(reason);
    const kept = at(type, { actor: 'a', keyRetentionMillis: 90 * DAY_MILLIS });
    expect(dispensableAs(kept, present(EXPIRY))).toBeUndefined();
    expect(dispensableAs(kept, present(1_000 + 90 * DAY_MILLIS))).toBe(reason);
  });

  it.each(['MetadataChanged', 'CommandRejected'])(
    'is no %s that nothing follows, however old',
    (type) => {
      const never = present(Number.MAX_SAFE_INTEGER, false);
      expect(dispensableAs(at(type), never)).toBeUndefined();
    },
  );

  it.each([
    'LedgerOpened',
    'AssetRegistered',
    'AccountOpened',
    'AccountPolicyChanged',
    'AccountStatusChanged',
    'TransferPosted',
    'of another room',
  ])('is never %s', (type) => {
    expect(dispensableAs(at(type), present(Number.MAX_SAFE_INTEGER))).toBeUndefined();
  });
});

/*
 * Random histories of months, compacted below a random bound as far as a random choice of segments goes. fast-check prints seed and path of a failure.
 */
describe('books that were compacted', () => {
  const RUNS = { numRuns: runs({ short: 80, long: 400 }) };
  const WORLD = new TestBooks().given(...worldSetUp);
  /** The transfers of the world, whose metadata is changed over and over. */
  const TRANSFERS = [worldSetUp.length - 1, worldSetUp.length].map(commandId);
  const SEGMENT_EVENTS = 4;
  /** What a decision about money, accounts or metadata is made of: all but keys. */
  const BOOKS = /^(ledgers|assets|accounts|account-metadata|references|transfers)\//;

  const patch = fc.dictionary(fc.constantFrom('owner', 'note'), fc.constantFrom('a', 'b', null));
  const metadataChanges: fc.Arbitrary<LedgerCommand> = fc.oneof(
    fc.record({
      type: fc.constant('ChangeAccount' as const),
      ledger: fc.constant(TEST_LEDGER),
      accountId: fc.constantFrom('alice', 'cash'),
      metadata: patch,
    }),
    fc.record({
      type: fc.constant('ChangeTransferMetadata' as const),
      ledger: fc.constant(TEST_LEDGER),
      transferId: fc.constantFrom(...TRANSFERS),
      metadata: patch,
    }),
  );
  /** Keys are known for thirty: so of a history some have expired, and some have not. */
  const days = fc.noBias(fc.integer({ min: 0, max: 12 }));
  const history = fc.array(
    fc
      .tuple(attempts, fc.option(metadataChanges, { freq: 2 }), days)
      .map(([{ command, circumstances }, change, laterDays]) => ({
        ...{ command: change ?? command, circumstances },
        laterMillis: laterDays * DAY_MILLIS,
      })),
    { minLength: 10, maxLength: 40, size: 'max' },
  );
  const compactions = fc.record({
    history,
    later: history,
    /** Of the events, how many lie below the bound. */
    boundPercent: fc.noBias(fc.integer({ min: 0, max: 100 })),
    isRewritten: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
  });

  interface Compaction {
    readonly books: TestBooks;
    /** The state that has seen what went, on the log that it has gone from … */
    readonly seen: TestBooks;
    /** … and the state that a replay of that log makes. */
    readonly compacted: TestBooks;
    readonly bound: number;
    readonly dropped: ReadonlySet<RecordedEvent>;
    /** Everything that was sent before, at once, and then more. */
    readonly later: readonly Attempt[];
  }

  function everyCompaction(check: (compaction: Compaction) => void): void {
    fc.assert(
      fc.property(compactions, ({ history: past, later, boundPercent, isRewritten }) => {
        const books = new TestBooks(WORLD);
        for (const attempt of past) live(books, attempt);
        const bound = 1 + Math.round((boundPercent / 100) * books.events.length);
        const present = presentOf(books, bound);
        const dropped = new Set(
          books.events.filter(
            (event) =>
              event.position < bound &&
              isRewritten[Math.floor(event.position / SEGMENT_EVENTS)] !== false &&
              dispensableAs(event, present) !== undefined,
          ),
        );
        const again = past.map((attempt) => ({ ...attempt, laterMillis: 0 }));
        check({
          ...{ books, bound, dropped },
          ...{ seen: books.withoutReading(dropped), compacted: books.without(dropped) },
          later: [...again, ...later],
        });
      }),
      RUNS,
    );
  }

  function live(books: TestBooks, { command, circumstances, laterMillis }: Attempt) {
    books.nowMillis += laterMillis;
    return books.execute(command, circumstances);
  }

  function presentOf({ events }: TestBooks, bound: number): CompactionPresent {
    return {
      nowMillis: defined(events.at(-1), 'an event').recordedAtMillis,
      isFollowed: (stream, version) =>
        events.some(
          (one) => one.position < bound && one.stream === stream && one.version > version,
        ),
    };
  }

  function booksIn(store: FrozenStateStore): Record<string, unknown> {
    return Object.fromEntries(Object.entries(store.image()).filter(([key]) => BOOKS.test(key)));
  }

  it('are the same at every position from the bound on: accounts, metadata, versions, money', () => {
    const gone = { account: 0, transfer: 0, refusal: 0 };
    everyCompaction(({ books, bound, dropped }) => {
      const [whole, compacted] = [new FrozenStateStore(), new FrozenStateStore()];
      for (const event of books.events) {
        evolve(event, whole);
        if (!dropped.has(event)) evolve(event, compacted);
        // State at P is made of the events up to P.
        if (event.position >= bound - 1) expectSame(booksIn(compacted), booksIn(whole));
      }
      for (const { type, data } of dropped)
        gone[type === 'CommandRejected' ? 'refusal' : (data['subject'] as keyof typeof gone)] += 1;
    });

    expect(Math.min(...Object.values(gone))).toBeGreaterThan(RUNS.numRuns / 8);
  });

  it('keep the last event of every stream below the bound, and so the version that the next one follows', () => {
    everyCompaction(({ books, bound, dropped }) => {
      const below = books.events.filter(({ position }) => position < bound);
      const last = new Map(below.map((event) => [event.stream, event]));
      for (const event of last.values()) expectSame(dropped.has(event), false);
    });
  });

  it('make the same read model at every position from the bound on', () => {
    everyCompaction(({ books, bound, dropped }) => {
      for (const end of [bound, books.events.length + 1]) {
        const upTo = books.events.filter(({ position }) => position < end);
        const left = upTo.filter((event) => !dropped.has(event));
        expectSame(new RowsInMemory(left), new RowsInMemory(upTo));
      }
    });
  });

  it('know the same keys, and answer none of them with what has gone', () => {
    everyCompaction(({ books, seen, compacted, dropped }) => {
      const { nowMillis } = presentOf(books, 1);
      for (const event of books.events) {
        const { actor, key } = event.metadata as { actor: string; key: string };
        const use = ({ decisions }: TestBooks) =>
          decisions.keyUse({ scope: TEST_LEDGER, actor, key })?.event;
        expectSame(use(compacted), use(seen));
        if (event.recordedAtMillis + KEY_RETENTION_MILLIS_DEFAULT <= nowMillis) continue;
        expectSame(use(seen), use(books));
        expectSame(dropped.has(event), false);
      }
    });
  });

  it('decide the same of everything that comes later', () => {
    const kinds = new Map<string, number>();
    everyCompaction(({ seen, compacted, dropped, later }) => {
      const positions = new Set([...dropped].map(({ position }) => position));
      for (const attempt of later) {
        const decision = live(seen, attempt);
        expectSame(live(compacted, attempt), decision);
        kinds.set(decision.kind, (kinds.get(decision.kind) ?? 0) + 1);
        if (decision.kind === 'replayed') expectSame(positions.has(decision.event.position), false);
      }
      expectSame(booksIn(compacted.store), booksIn(seen.store));
    });

    for (const kind of ['accepted', 'refused', 'replayed'])
      expect(kinds.get(kind)).toBeGreaterThan(RUNS.numRuns / 8);
  });

  it('have the whole metadata of an account or transfer in whatever follows a change of it', () => {
    const followers = new Set<string>();
    everyCompaction((compaction) => {
      const books = new TestBooks(compaction.books);
      // In few random histories each kind of event follows such a change; here in every one.
      const late = { ledger: TEST_LEDGER, accountId: 'late' } as const;
      books.execute({ type: 'OpenAccount', ...late, asset: 'EUR', normalSide: 'credit' });
      books.execute({ type: 'ChangeAccount', ...late, metadata: { owner: 'a' } });
      books.execute({ type: 'ChangeAccount', ...late, metadata: { owner: 'b' } });
      books.execute({ type: 'ChangeAccount', ...late, floor: '-1' });
      books.execute({ type: 'SetAccountStatus', ...late, status: 'frozen', expectedVersion: 4 });
      const changed = new Set<string>();
      for (const event of books.events) {
        if (changed.has(event.stream)) {
          followers.add(event.type);
          expectSame(typeof metadataIn(event), 'object');
        }
        if (event.type === 'MetadataChanged') changed.add(event.stream);
      }
    });
    const expected = ['AccountPolicyChanged', 'AccountStatusChanged', 'MetadataChanged'];
    expect([...followers].sort()).toEqual(expected);
  });

  function metadataIn({ data }: RecordedEvent): unknown {
    return 'account' in data
      ? (data['account'] as { metadata?: unknown }).metadata
      : data['metadata'];
  }
});
