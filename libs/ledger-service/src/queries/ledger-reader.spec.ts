import type { Position } from '@holdfast/event-store';
import type { FeedCursor } from '@holdfast/projections';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { encodePosition } from '@holdfast/commands';
import type { Asked, QueryCall } from './ledger-queries.js';
import { LedgerReader, type SeenLog } from './ledger-reader.js';
import { ReadModelSight } from './read-model-sight.js';

const LOG_ID = 'a'.repeat(32);
const TIMELINE = '1'.repeat(16);
const { signal } = new AbortController();

describe('a query that prefers not to wait', () => {
  let asked: string[];
  let reader: LedgerReader;

  /** Every query is answered as of position 5, and no look ever is. */
  let seen: SeenLog;

  beforeEach(() => {
    asked = [];
    seen = {
      logId: LOG_ID,
      newestTimeline: TIMELINE,
      durablePosition: 9 as Position,
      timelineAt: () => TIMELINE,
    };
    const answered: Asked = {
      finding: { kind: 'found', body: new Uint8Array(), version: undefined },
      cursor: { logId: LOG_ID, timeline: TIMELINE, position: 5 as Position },
    };
    const asker = {
      ask: ({ name }: QueryCall) => {
        asked.push(name);
        return name === 'look' ? new Promise<Asked>(() => undefined) : Promise.resolve(answered);
      },
      close: () => Promise.resolve(),
    };
    reader = new LedgerReader(new ReadModelSight(asker), asker, {
      waitMillisMax: 10_000,
      durablePosition: () => 9 as Position,
      log: { look: () => seen, ask: () => Promise.resolve(seen) },
    });
  });

  const ask = (minPosition?: string) =>
    reader.answer({ name: 'getLedger', arguments: [], minPosition }, { waitSeconds: 0, signal });
  const at = (position: number, { logId = LOG_ID, timeline = TIMELINE } = {}) =>
    encodePosition({ logId, position: position as Position, timeline });

  it.each([
    ['no position', undefined],
    ['a position that is reached', at(5)],
  ])('is answered by the query alone: %s', async (_, minPosition) => {
    expect(await ask(minPosition)).toMatchObject({ position: at(5) });
    expect(asked).toEqual(['getLedger']);
  });

  it.each([
    ['a position that is not reached', at(6), 'projection-lagging'],
    ['a position of another log', at(5, { logId: 'b'.repeat(32) }), 'position-unknown'],
    ['a position of another history', at(5, { timeline: '2'.repeat(16) }), 'position-unknown'],
    ['no position at all', 'nonsense', 'position-unknown'],
  ])('is refused by the query alone: %s', async (_, minPosition, slug) => {
    await expect(ask(minPosition)).rejects.toMatchObject({ slug });
    expect(asked).toEqual(['getLedger']);
  });

  it('is answered nothing where the log begins behind the read model, and cannot tell of which history that is', async () => {
    seen = { ...seen, timelineAt: () => undefined };
    await expect(ask()).rejects.toMatchObject({ slug: 'projection-lagging' });
  });
});

describe('a query behind a command service that was started again', () => {
  const started = '2'.repeat(16);
  /** As the tables show it, and as they are looked at. */
  let cursor: FeedCursor;
  let seen: SeenLog;
  let told: SeenLog | undefined;
  let sight: ReadModelSight;
  let reader: LedgerReader;

  const at = (position: number, timeline = TIMELINE): FeedCursor => ({
    ...{ logId: LOG_ID, position: position as Position, timeline },
  });
  const logOf = (newestTimeline: string, durable: number): SeenLog => ({
    ...{ logId: LOG_ID, durablePosition: durable as Position, newestTimeline },
    timelineAt: (position) => (position <= 5 ? TIMELINE : newestTimeline),
  });

  beforeEach(() => {
    cursor = at(9);
    seen = logOf(TIMELINE, 9);
    told = undefined;
    const asker = {
      ask: (): Promise<Asked> =>
        Promise.resolve({
          finding: { kind: 'found', body: new Uint8Array(), version: undefined },
          cursor,
        }),
      close: () => Promise.resolve(),
    };
    sight = new ReadModelSight(asker);
    reader = new LedgerReader(sight, asker, {
      waitMillisMax: 1_000,
      log: { look: () => seen, ask: () => Promise.resolve(told) },
    });
  });

  const ask = (minPosition?: string, waitSeconds = 1) =>
    reader.answer({ name: 'getLedger', arguments: [], minPosition }, { waitSeconds, signal });

  it('is answered from tables that follow a restored log, though those of before were looked at last', async () => {
    await sight.cursor();
    told = seen = logOf(started, 7);
    cursor = at(7, started);
    const token = encodePosition(cursor);
    expect(await ask(token)).toMatchObject({ position: token });
  });

  it.each([
    ['the tables are further than what it said last', at(10, started), undefined],
    ['the position is', at(9), encodePosition(at(10, started))],
  ])(
    'is not known to be of its log while it does not answer: %s',
    async (_, shown, minPosition) => {
      cursor = shown;
      for (const waitSeconds of [0, 1])
        await expect(ask(minPosition, waitSeconds)).rejects.toMatchObject({
          slug: 'projection-lagging',
          message: expect.stringContaining('the command service does not answer'),
        });
    },
  );
});

describe('many queries that wait for what was just written', () => {
  const WAITING = 500;
  /** Looks under way, each answered when the test says so; queries are answered at once, as the last look was. */
  let looks: ((position: number) => void)[];
  let queries: number;
  let leaving: AbortController;
  let reader: LedgerReader;

  const cursorAt = (position: number): FeedCursor => ({
    ...{ logId: LOG_ID, timeline: TIMELINE, position: position as Position },
  });

  beforeEach(() => {
    looks = [];
    queries = 0;
    leaving = new AbortController();
    let last = 0;
    const answered = (position: number): Asked => ({
      finding: { kind: 'found', body: new Uint8Array(), version: undefined },
      cursor: cursorAt(position),
    });
    const asker = {
      ask: ({ name }: QueryCall): Promise<Asked> => {
        if (name !== 'look') queries += 1;
        if (name !== 'look') return Promise.resolve(answered(last));
        return new Promise((resolve) =>
          looks.push((position) => {
            last = position;
            resolve(answered(position));
          }),
        );
      },
      close: () => Promise.resolve(),
    };
    // No look is given up, however slow this machine is.
    const sight = new ReadModelSight(asker, 60_000);
    reader = new LedgerReader(sight, asker, { waitMillisMax: 600_000 });
  });

  const look = async (number: number) => {
    while (looks.length < number) await new Promise(setImmediate);
    return looks[number - 1]!;
  };

  const ask = (waitSeconds: number) =>
    Array.from({ length: WAITING }, () =>
      reader.answer(
        { name: 'getLedger', arguments: [], minPosition: encodePosition(cursorAt(9)) },
        { waitSeconds, signal: leaving.signal },
      ),
    );

  it('share each look at the read model, and are asked once each when it has arrived', async () => {
    const answers = ask(600);
    (await look(1))(5);
    (await look(2))(6);
    (await look(3))(9);
    const token = encodePosition(cursorAt(9));
    for (const answer of await Promise.all(answers)) expect(answer.position).toBe(token);
    expect([looks.length, queries]).toEqual([3, WAITING]);
  });

  it('all end with a stop, and are not asked', async () => {
    const answers = ask(600);
    (await look(1))(5);
    const second = await look(2);
    leaving.abort();
    for (const { status, reason } of (await Promise.allSettled(answers)) as PromiseRejectedResult[])
      expect([status, reason]).toMatchObject(['rejected', { slug: 'service-stopping' }]);
    expect([looks.length, queries]).toEqual([2, 0]);
    second(5);
  });

  it('are all told to come again when the read model does not arrive in time', async () => {
    const answers = Promise.allSettled(ask(0.05));
    (await look(1))(5);
    const slow = setInterval(() => looks.at(-1)?.(6), 1);
    for (const { reason } of (await answers) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ slug: 'projection-lagging' });
    clearInterval(slow);
    looks.at(-1)?.(6);
    expect(queries).toBe(0);
    expect(looks.length).toBeLessThan(WAITING);
  });
});
