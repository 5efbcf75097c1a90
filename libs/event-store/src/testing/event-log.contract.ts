import { randomUUID } from 'node:crypto';
import { runs } from '@holdfast/kernel/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MonotonicClock } from '@holdfast/kernel';
import fc from 'fast-check';
import type { NewEvent, RecordedEvent, StreamVersion } from '../event.js';
import type { Commit, EventLog, ExpectedVersion, StreamAppend } from '../event-log.js';
import type { Evolve } from '../fold/folded-state.js';
import { InMemoryStateStore } from '../state/store/in-memory-state-store.js';
import type { StateStore } from '../state-store.js';
import { Upcasters } from '../codec/upcaster.js';
import { describeEventSource } from './event-source.contract.js';
import {
  allEvents,
  collected,
  oneAppend,
  position,
  positionsOf,
  sampleEvent,
  sampleEvents,
  version,
} from './sample-events.js';

export interface EngineOptions {
  readonly state?: StateStore;
  readonly evolve?: Evolve;
  readonly upcasters?: Upcasters;
  readonly clock?: MonotonicClock;
}

/** One log of an engine, empty at first. */
export interface Engine {
  /** Opens it; after closing what was open, the same log again. */
  open(options?: EngineOptions): Promise<EventLog>;
  /** Removes it. What was opened is closed by then. */
  dispose(): Promise<void>;
}

/** What every engine of the event log must do. `make` gives an engine with an empty log. */
export function describeEventLog(name: string, make: () => Promise<Engine>): void {
  describeEventSource(`${name}, its writer`, async () => {
    const engine = await make();
    const log = await engine.open();
    const close = async (): Promise<void> => {
      await log.close();
      await engine.dispose();
    };
    return { log, source: log, close };
  });

  describe(`the event log contract: ${name}`, () => {
    let engine: Engine;
    let log: EventLog;

    beforeEach(async () => {
      engine = await make();
      log = await engine.open();
    });

    afterEach(async () => {
      await log.close();
      await engine.dispose();
    });

    async function reopen(options?: EngineOptions): Promise<void> {
      await log.close();
      log = await engine.open(options);
    }

    describe('appending', () => {
      it('gives every event its place at once, and returns it as the log will hold it', async () => {
        const event = sampleEvent(1, { tags: ['a', 'b'], metadata: { actor: 'alice' } });
        const before = Date.now();
        const appended = log.append(oneAppend('cart-1', [event]));
        const { recordedAtMillis } = appended.events[0]!;
        const expected: RecordedEvent = {
          position: position(1),
          stream: 'cart-1',
          version: version(1),
          id: event.id,
          type: 'Counted',
          schemaVersion: 1,
          recordedAtMillis,
          tags: ['a', 'b'],
          metadata: { actor: 'alice' },
          data: { number: 1 },
          endsCommit: true,
        };
        expect(appended).toMatchObject({ events: [expected], position: 1, repeated: false });
        expect(recordedAtMillis).toBeGreaterThanOrEqual(before);
        expect(recordedAtMillis).toBeLessThanOrEqual(Date.now());
        expect([log.lastPosition, log.streamVersion('cart-1')]).toEqual([1, 1]);
        await log.whenDurable(appended.position);
        expect(log.eventAt(position(1))).toEqual(expected);
      });

      it('is waited for on request, and then rejects with what it would throw', async () => {
        const appended = await log.appendDurably(oneAppend('s', [sampleEvent(1)]));
        expect(appended).toMatchObject({ position: 1, repeated: false });
        expect(log.eventAt(position(1))).toEqual(appended.events[0]);
        await expect(
          log.appendDurably(oneAppend('s', [sampleEvent(2)], 'no-stream')),
        ).rejects.toMatchObject({ code: 'EVENT_WRONG_VERSION' });
      });

      it('keeps the appends of a commit in their order, one after another, ended by its last event', async () => {
        const appended = log.append({
          appends: [
            { stream: 'a', expectedVersion: 'no-stream', events: sampleEvents(2) },
            { stream: 'b', expectedVersion: 'any', events: sampleEvents(1) },
            { stream: 'a', expectedVersion: version(2), events: sampleEvents(1) },
          ],
        });
        const places = appended.events.map((event) => [
          event.position,
          event.stream,
          event.version,
          event.endsCommit,
        ]);
        expect(places).toEqual([
          [1, 'a', 1, false],
          [2, 'a', 2, false],
          [3, 'b', 1, false],
          [4, 'a', 3, true],
        ]);
        await log.whenDurable(appended.position);
        expect(await allEvents(log)).toEqual(appended.events);
      });

      it("lays the commit's metadata under each event's own", () => {
        const events = [sampleEvent(1), sampleEvent(2, { metadata: { actor: 'bob', own: 1 } })];
        const metadata = { actor: 'alice', key: 'k' };
        const appended = log.append({ ...oneAppend('a', events), metadata });
        expect(appended.events.map((event) => event.metadata)).toEqual([
          { actor: 'alice', key: 'k' },
          { actor: 'bob', key: 'k', own: 1 },
        ]);
      });

      it('records a tag once that is given twice', async () => {
        const event = sampleEvent(1, { tags: ['a', 'b', 'a'] });
        const appended = await log.appendDurably(oneAppend('s', [event]));
        expect(appended.events[0]?.tags).toEqual(['a', 'b']);
        expect(await collected(log.readTag('a'))).toEqual(appended.events);
      });

      it('holds what was given, also when the caller changes its objects afterwards', async () => {
        const data = { list: [1], left: undefined, zero: -0 };
        const tags = ['a'];
        const appended = log.append(oneAppend('s', [sampleEvent(1, { data, tags })]));
        data.list.push(2);
        tags.push('b');
        await log.whenDurable(appended.position);
        const [recorded] = appended.events;
        expect(recorded?.data).toStrictEqual({ list: [1], zero: 0 });
        expect(recorded?.tags).toEqual(['a']);
        expect(log.eventAt(position(1))).toStrictEqual(recorded);
      });

      it('lays it under by what each says: what is undefined takes nothing away', () => {
        const own = sampleEvent(1, { metadata: { actor: undefined, own: 1 } });
        const none = sampleEvent(2, { metadata: { actor: undefined } });
        const metadata = { actor: 'alice', ['__proto__']: 'kept' };
        const { events } = log.append({ ...oneAppend('a', [own, none]), metadata });
        expect(events.map((event) => Object.entries(event.metadata))).toEqual([
          [
            ['actor', 'alice'],
            ['__proto__', 'kept'],
            ['own', 1],
          ],
          [
            ['actor', 'alice'],
            ['__proto__', 'kept'],
          ],
        ]);
      });

      it('gives out nothing through which a caller could change what others see', async () => {
        const evolve: Evolve = ({ data, metadata, tags, stream }, state) => {
          state.section<object>('seen').set(stream, { data, metadata, tags });
        };
        await reopen({ evolve });
        const data = { legs: [{ amount: '1' }] };
        const given = [
          sampleEvent(1, { data, tags: ['t'], metadata: { by: { name: 'alice' } } }),
          sampleEvent(2),
        ];
        const appended = await log.appendDurably(oneAppend('s', given, 'no-stream'));
        const { events } = appended;
        const [first, second] = events;
        const parts: unknown[] = [events, first, second, first?.tags, second?.tags];
        parts.push(first?.data, first?.data['legs'], (first?.data['legs'] as unknown[])[0]);
        parts.push(first?.metadata, first?.metadata['by'], second?.data, second?.metadata);
        expect(parts.map((part) => Object.isFrozen(part))).toEqual(parts.map(() => true));
        // The caller's own objects stay its own.
        data.legs.push({ amount: '2' });
        expect(first?.data).toEqual({ legs: [{ amount: '1' }] });
        const again = log.append(oneAppend('s', given, 'no-stream'));
        expect([again.repeated, again.events]).toEqual([true, events]);
      });

      it('knows no stream and no tag under text that cannot be stored', async () => {
        await log.appendDurably(oneAppend('s\ufffd', sampleEvents(2, { tags: ['t\ufffd'] })));
        await reopen();
        expect([log.streamVersion('s\ufffd'), log.streamVersion('s\ud800')]).toEqual([2, 0]);
        expect(await collected(log.readStream('s\ud800'))).toEqual([]);
        expect(await collected(log.readTag('t\ud800'))).toEqual([]);
      });

      it.each<[string, string]>([
        ['a lone surrogate', 's\ud800'],
        ['no character', ''],
        ['more than 512 bytes', 'é'.repeat(257)],
      ])('refuses a guard of a stream whose name has %s', (_, stream) => {
        const appends = [
          { stream, expectedVersion: 'no-stream' as const, events: [] },
          { stream: 'other', expectedVersion: 'any' as const, events: sampleEvents(1) },
        ];
        expect(() => log.append({ appends })).toThrow(
          expect.objectContaining({ code: 'EVENT_INVALID' }),
        );
        expect(log.lastPosition).toBe(0);
      });

      const common = { actor: 'alice' };
      it.each<[string, unknown]>([
        ['a map', new Map([['a', 1]])],
        ['a date', new Date(0)],
        ['a number', 5],
        ['a text', 'text'],
        ['an array', ['a']],
        ['null', null],
        ['a function', () => 1],
        ['an object with a function in it', { a: () => 1 }],
        ['an object with a date in it', { a: new Date(0) }],
        ['an object with a map in it', { a: { b: new Map() } }],
        ['an object with undefined in a list', { a: [undefined] }],
        ['an object with a symbol for a key', { [Symbol('a')]: 1 }],
      ])('refuses metadata that is %s, with metadata of the commit and without', (_, given) => {
        const events = [sampleEvent(1, { metadata: given as never })];
        for (const commit of [
          oneAppend('s', events),
          { ...oneAppend('s', events), metadata: common },
          { ...oneAppend('s', [sampleEvent(1)]), metadata: given as never },
        ])
          expect(() => log.append(commit)).toThrow(
            expect.objectContaining({ code: 'EVENT_INVALID' }),
          );
        expect(log.lastPosition).toBe(0);
      });

      it.each<[string, Commit]>([
        ['a commit without appends', { appends: [] }],
        ['a commit without events', oneAppend('s', [])],
        ['an id that is no UUID', oneAppend('s', [sampleEvent(1, { id: '1' })])],
        ['an empty type', oneAppend('s', [sampleEvent(1, { type: '' })])],
        ['an empty stream name', oneAppend('', [sampleEvent(1)])],
        ['a stream name with a lone surrogate', oneAppend('s\ud800', [sampleEvent(1)])],
        ['an empty tag', oneAppend('s', [sampleEvent(1, { tags: [''] })])],
        ['schema version 0', oneAppend('s', [sampleEvent(1, { schemaVersion: 0 })])],
        ['a date in data', oneAppend('s', [sampleEvent(1, { data: { at: new Date() as never } })])],
        ['NaN in metadata', { ...oneAppend('s', [sampleEvent(1)]), metadata: { a: Number.NaN } }],
        ['an expected version of -1', oneAppend('s', [sampleEvent(1)], -1)],
        ['an expected version of 0.5', oneAppend('s', [sampleEvent(1)], 0.5)],
        [
          'a time with a fraction',
          { ...oneAppend('s', [sampleEvent(1)]), recordedAtMillis: 9e12 + 0.5 },
        ],
      ])('refuses %s with EVENT_INVALID and assigns nothing', async (_, commit) => {
        const good = await log.appendDurably(oneAppend('good', [sampleEvent(1)]));
        expect(() => log.append(commit)).toThrow(
          expect.objectContaining({ code: 'EVENT_INVALID' }),
        );
        expect([log.lastPosition, log.streamVersion('s')]).toEqual([1, 0]);
        const next = await log.appendDurably(oneAppend('good', [sampleEvent(2)], 1));
        expect(await allEvents(log)).toEqual([...good.events, ...next.events]);
      });

      it('appends nothing of a commit whose last event is refused', async () => {
        const commit: Commit = {
          appends: [
            { stream: 'a', expectedVersion: 'any', events: [sampleEvent(1, { tags: ['t'] })] },
            { stream: 'b', expectedVersion: 'any', events: [sampleEvent(2, { type: '' })] },
          ],
        };
        expect(() => log.append(commit)).toThrow();
        await log.appendDurably(oneAppend('c', [sampleEvent(3)]));
        expect(await collected(log.readStream('a'))).toEqual([]);
        expect(await collected(log.readTag('t'))).toEqual([]);
        expect((await allEvents(log)).map(({ stream }) => stream)).toEqual(['c']);
      });

      it.each<[string, () => NewEvent[]]>([
        ['an event', () => [sampleEvent(1, { data: { text: 'x'.repeat(17 * 1024 * 1024) } })]],
        [
          'a commit in bytes',
          () => sampleEvents(5, { data: { text: 'x'.repeat(8 * 1024 * 1024) } }),
        ],
        ['a commit in events', () => Array<NewEvent>(100_001).fill(sampleEvent(1))],
      ])(
        'refuses %s that is too large with EVENT_TOO_LARGE and assigns nothing',
        async (_, events) => {
          expect(() => log.append(oneAppend('s', events()))).toThrow(
            expect.objectContaining({ code: 'EVENT_TOO_LARGE' }),
          );
          expect([log.lastPosition, log.streamVersion('s')]).toEqual([0, 0]);
          await log.appendDurably(oneAppend('s', [sampleEvent(1)], 'no-stream'));
        },
      );

      it('takes a commit of 50,000 events', async () => {
        const appended = await log.appendDurably(oneAppend('s', sampleEvents(50_000)));
        expect(appended.position).toBe(50_000);
        const last = await collected(log.readStream('s', { direction: 'backward', limit: 1 }));
        expect(last).toEqual([appended.events.at(-1)]);
      });
    });

    describe('time', () => {
      it('never goes back, neither with the clock nor across a restart', async () => {
        let wall = 1_000_000;
        const clock = { nowMillis: () => wall, monotonicMillis: () => wall };
        await reopen({ clock });
        const times: number[] = [];
        for (const now of [1_000_000, 1_000_500, 900_000, 1_000_600]) {
          wall = now;
          expect(log.now()).toBe(Math.max(now, ...times));
          const { events } = await log.appendDurably(oneAppend('s', [sampleEvent(1)]));
          times.push(events[0]!.recordedAtMillis);
        }
        expect(times).toEqual([1_000_000, 1_000_500, 1_000_500, 1_000_600]);
        wall = 5;
        await reopen({ clock });
        expect(log.now()).toBe(1_000_600);
      });

      it('may be given, but not before what was recorded last', () => {
        const at = (recordedAtMillis: number): Commit => ({
          ...oneAppend('s', [sampleEvent(1)]),
          recordedAtMillis,
        });
        const later = Date.now() + 60_000;
        expect(log.append(at(later)).events[0]?.recordedAtMillis).toBe(later);
        expect(() => log.append(at(later - 1))).toThrow(
          expect.objectContaining({ code: 'EVENT_INVALID' }),
        );
        expect(log.append(at(later)).events[0]?.recordedAtMillis).toBe(later);
        expect(log.now()).toBe(later);
      });
    });

    describe('expected versions', () => {
      it.each<[ExpectedVersion | number, number, boolean]>([
        ['any', 0, true],
        ['any', 2, true],
        ['exists', 0, false],
        ['exists', 2, true],
        ['no-stream', 0, true],
        ['no-stream', 2, false],
        [0, 0, true],
        [0, 2, false],
        [1, 2, false],
        [2, 2, true],
        [3, 2, false],
        [1, 0, false],
      ])('expecting %s of a stream at version %s: accepted %s', (expected, actual, accepted) => {
        if (actual > 0) log.append(oneAppend('s', sampleEvents(actual)));
        const append = (): unknown => log.append(oneAppend('s', [sampleEvent(9)], expected));
        if (accepted) append();
        else
          expect(append).toThrow(
            expect.objectContaining({
              code: 'EVENT_WRONG_VERSION',
              details: { stream: 's', expected, actual },
            }),
          );
        expect(log.streamVersion('s')).toBe(actual + (accepted ? 1 : 0));
        expect(log.lastPosition).toBe(actual + (accepted ? 1 : 0));
      });

      it('are checked before anything of the commit is assigned', () => {
        log.append(oneAppend('b', sampleEvents(1)));
        const commit: Commit = {
          appends: [
            { stream: 'a', expectedVersion: 'no-stream', events: sampleEvents(1) },
            { stream: 'b', expectedVersion: 'no-stream', events: sampleEvents(1) },
          ],
        };
        expect(() => log.append(commit)).toThrow(
          expect.objectContaining({ details: { stream: 'b', expected: 'no-stream', actual: 1 } }),
        );
        expect([log.lastPosition, log.streamVersion('a')]).toEqual([1, 0]);
      });

      it('count what the same commit appended to the stream before', () => {
        const append = (
          expectedVersion: ExpectedVersion | number,
          count: number,
        ): StreamAppend => ({
          stream: 's',
          expectedVersion: expectedVersion as ExpectedVersion,
          events: sampleEvents(count),
        });
        log.append({ appends: [append(0, 2), append(2, 1), append('exists', 1)] });
        expect(log.streamVersion('s')).toBe(4);
        expect(() => log.append({ appends: [append(4, 2), append(4, 1)] })).toThrow(
          expect.objectContaining({ details: { stream: 's', expected: 4, actual: 6 } }),
        );
        expect(log.streamVersion('s')).toBe(4);
      });

      it('may guard a stream that the commit appends nothing to', () => {
        log.append(oneAppend('guard', sampleEvents(2)));
        const guarded = (expectedVersion: number): Commit => ({
          appends: [
            { stream: 'guard', expectedVersion: version(expectedVersion), events: [] },
            { stream: 's', expectedVersion: 'any', events: sampleEvents(1) },
          ],
        });
        expect(() => log.append(guarded(1))).toThrow(
          expect.objectContaining({ code: 'EVENT_WRONG_VERSION' }),
        );
        log.append(guarded(2));
        expect([log.streamVersion('guard'), log.streamVersion('s')]).toEqual([2, 1]);
      });

      it('hold from the moment of appending, and after a restart', async () => {
        log.append(oneAppend('s', sampleEvents(1), 'no-stream'));
        log.append(oneAppend('s', sampleEvents(1), 1));
        await reopen();
        expect(log.streamVersion('s')).toBe(2);
        log.append(oneAppend('s', sampleEvents(1), 2));
      });

      it('let one of many concurrent appenders win each version', async () => {
        const appenders = Array.from({ length: 16 }, async (_, appender) => {
          for (let number = 0; number < 5;) {
            const expected = log.streamVersion('s');
            // Whoever comes between the look and the append makes the latter fail.
            if (appender % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
            try {
              const event = sampleEvent(number, { data: { appender, number } });
              const appended = log.append(oneAppend('s', [event], expected));
              number++;
              await log.whenDurable(appended.position);
            } catch (error) {
              expect(error).toMatchObject({ code: 'EVENT_WRONG_VERSION' });
            }
          }
        });
        await Promise.all(appenders);
        const events = await collected(log.readStream('s'));
        expect(events.map((event) => event.version)).toEqual(events.map((_, index) => index + 1));
        const numbers = events.filter(({ data }) => data['appender'] === 7);
        expect(numbers.map(({ data }) => data['number'])).toEqual([0, 1, 2, 3, 4]);
        expect(events).toHaveLength(80);
      });
    });

    describe('a repeated append', () => {
      const transfer = (): Commit => ({
        appends: [
          { stream: 'a', expectedVersion: version(1), events: sampleEvents(2) },
          { stream: 'b', expectedVersion: 'any', events: sampleEvents(1) },
          { stream: 'c', expectedVersion: 'no-stream', events: sampleEvents(1) },
        ],
      });

      beforeEach(() => {
        log.append(oneAppend('a', sampleEvents(1)));
      });

      it('is recognised before its first attempt is durable, and waits for it', async () => {
        const commit = transfer();
        const first = log.append(commit);
        const again = log.append(commit);
        expect(again).toMatchObject({ events: first.events, position: 5, repeated: true });
        expect([log.durablePosition, log.lastPosition]).toEqual([0, 5]);
        await log.whenDurable(again.position);
        expect(log.durablePosition).toBe(5);
      });

      it.each([
        ['when it is durable', false],
        ['after a restart', true],
      ])('is recognised %s, also behind later events', async (_, restart) => {
        const commit = transfer();
        const first = log.append(commit);
        await log.appendDurably(oneAppend('a', sampleEvents(3), 3));
        await log.appendDurably(oneAppend('c', sampleEvents(1), 1));
        if (restart) await reopen();
        const again = log.append(commit);
        await log.whenDurable(again.position);
        expect(again.events).toEqual(first.events);
        expect([again.repeated, again.position, log.lastPosition]).toEqual([true, 5, 9]);
      });

      it('is recognised by an exact version behind appends without one', () => {
        const { appends } = transfer();
        const commit: Commit = { appends: [appends[1]!, appends[0]!, appends[2]!] };
        const first = log.append(commit);
        expect(log.append(commit)).toMatchObject({ events: first.events, repeated: true });
      });

      it('is recognised by any exact version in it, also when a guard no longer holds', () => {
        const guard: StreamAppend = { stream: 'a', expectedVersion: version(1), events: [] };
        const events: StreamAppend = {
          stream: 'c',
          expectedVersion: 'no-stream',
          events: sampleEvents(2),
        };
        const commit: Commit = { appends: [guard, events] };
        const first = log.append(commit);
        log.append(oneAppend('a', sampleEvents(1)));
        expect(log.append(commit)).toMatchObject({ events: first.events, repeated: true });
      });

      it.each<[string, (commit: Commit) => Commit]>([
        [
          'another id',
          ({ appends: [a, b, c] }) => ({ appends: [a!, b!, { ...c!, events: sampleEvents(1) }] }),
        ],
        ['fewer events', ({ appends: [a, b] }) => ({ appends: [a!, b!] })],
        [
          'more events',
          ({ appends: [a, b, c] }) => ({
            appends: [a!, b!, { ...c!, events: [...c!.events, sampleEvent(2)] }],
          }),
        ],
        ['another order', ({ appends: [a, b, c] }) => ({ appends: [a!, c!, b!] })],
        [
          'another stream in it',
          ({ appends: [a, b, c] }) => ({ appends: [a!, { ...b!, stream: 'd' }, c!] }),
        ],
        [
          'its first event left out',
          ({ appends: [a, b, c] }) => ({
            appends: [{ ...a!, expectedVersion: version(2), events: a!.events.slice(1) }, b!, c!],
          }),
        ],
      ])('is a conflict when it has %s', async (_, change) => {
        const commit = transfer();
        const appended = log.append(commit);
        const attempt = (): unknown => log.append(change(commit));
        expect(attempt).toThrow(expect.objectContaining({ code: 'EVENT_WRONG_VERSION' }));
        await log.whenDurable(appended.position);
        expect(attempt).toThrow(expect.objectContaining({ code: 'EVENT_WRONG_VERSION' }));
        expect(log.lastPosition).toBe(5);
      });

      it('is a conflict when it asks for two commits as one', async () => {
        const [one, two] = sampleEvents(2);
        log.append(oneAppend('s', [one!], 0));
        await log.appendDurably(oneAppend('s', [two!], 1));
        expect(() => log.append(oneAppend('s', [one!, two!], 0))).toThrow(
          expect.objectContaining({ code: 'EVENT_WRONG_VERSION' }),
        );
      });

      it('without an exact version is an append like any other', () => {
        const commit = oneAppend('s', sampleEvents(1), 'any');
        log.append(commit);
        expect(log.append(commit)).toMatchObject({ repeated: false, position: 3 });
      });

      it('does not touch the state again', async () => {
        const folded: number[] = [];
        await reopen({ evolve: ({ position }) => void folded.push(position) });
        const commit = transfer();
        log.append(commit);
        log.append(commit);
        expect(folded).toEqual([1, 2, 3, 4, 5]);
      });
    });

    describe('durability', () => {
      it('comes before anything can be read', async () => {
        const appended = log.append(oneAppend('s', [sampleEvent(1, { tags: ['t'] })]));
        expect([log.lastPosition, log.durablePosition, log.streamVersion('s')]).toEqual([1, 0, 1]);
        expect(log.eventAt(position(1))).toBeUndefined();
        const reads = [
          collected(log.readStream('s')),
          collected(log.readStream('s', { direction: 'backward' })),
          collected(log.readTag('t')),
          collected(log.readTag('t', { direction: 'backward' })),
          allEvents(log),
        ];
        expect(await Promise.all(reads.slice(0, 1))).toEqual([[]]);
        await Promise.all(reads);
        await log.whenDurable(appended.position);
        expect(log.durablePosition).toBe(1);
        expect(await collected(log.readStream('s'))).toEqual(appended.events);
        expect(await collected(log.readTag('t'))).toEqual(appended.events);
      });

      it('is waited for by position', async () => {
        const commits = [1, 2, 3].map((count) => log.append(oneAppend('s', sampleEvents(count))));
        await log.whenDurable(position(2));
        expect(log.durablePosition).toBeGreaterThanOrEqual(3);
        await log.whenDurable(commits[2]!.position);
        expect(log.durablePosition).toBe(6);
        await log.whenDurable(position(0));
        await log.whenDurable(position(6));
        await expect(log.whenDurable(position(7))).rejects.toMatchObject({
          code: 'EVENT_POSITION_UNKNOWN',
        });
      });

      it('is reached by all that was admitted before the log closes', async () => {
        const appended = Array.from({ length: 50 }, () =>
          log.appendDurably(oneAppend('s', sampleEvents(2))),
        );
        const closing = log.close();
        expect(() => log.append(oneAppend('s', sampleEvents(1)))).toThrow(
          expect.objectContaining({ code: 'EVENT_LOG_CLOSED' }),
        );
        await closing;
        await log.close();
        const commits = await Promise.all(appended);
        await expect(allEvents(log)).rejects.toMatchObject({ code: 'EVENT_LOG_CLOSED' });
        log = await engine.open();
        expect(await allEvents(log)).toEqual(commits.flatMap(({ events }) => events));
      });

      it('ends the subscriptions of a log that closes', async () => {
        const { signal } = new AbortController();
        const waiting = collected(log.subscribe({ after: position(0), signal }));
        await new Promise((resolve) => setImmediate(resolve));
        await log.close();
        expect(await waiting).toEqual([]);
      });
    });

    describe('reading a stream', () => {
      it('delivers nothing of one that does not exist', async () => {
        expect(await collected(log.readStream('none'))).toEqual([]);
        expect(await collected(log.readStream('none', { direction: 'backward' }))).toEqual([]);
        expect(log.streamVersion('none')).toBe(0);
      });

      it.each([0, -1, 1.5])('refuses to begin at version %p', async (from) => {
        const reading = collected(log.readStream('s', { from: version(from) }));
        await expect(reading).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      });

      it.each([-1, Number.NaN])('refuses a limit of %p', async (limit) => {
        log.append(oneAppend('s', sampleEvents(1)));
        const reading = collected(log.readStream('s', { limit }));
        await expect(reading).rejects.toMatchObject({ code: 'EVENT_INVALID' });
      });

      it('finds each version, with 300 of them far apart', async () => {
        for (let index = 0; index < 300; index++) {
          log.append(oneAppend('s', sampleEvents(1)));
          log.append(oneAppend(`other-${index % 10}`, sampleEvents(20)));
        }
        await log.whenDurable(log.lastPosition);
        const events = await collected(log.readStream('s'));
        expect(events.map(({ stream, version }) => `${stream} ${version}`)).toEqual(
          Array.from({ length: 300 }, (_, index) => `s ${index + 1}`),
        );
        expect(positionsOf(events)).toEqual(Array.from({ length: 300 }, (_, i) => i * 21 + 1));
      });
    });

    it('finds the newest event with a tag at once, durable or not, and after a restart', async () => {
      expect(log.lastTagged('t')).toBeUndefined();
      await log.appendDurably(oneAppend('a', [sampleEvent(1, { tags: ['t'] }), sampleEvent(2)]));
      const pending = log.append(oneAppend('b', [sampleEvent(3, { tags: ['t', 'other'] })]));
      const [event] = pending.events;
      expect(log.lastTagged('t')).toEqual({ position: pending.position, event });
      expect(log.admittedAt(pending.position)).toEqual(event);
      expect(log.eventAt(pending.position)).toBeUndefined();
      await log.whenDurable(pending.position);
      await log.close();
      log = await engine.open();
      expect(log.lastTagged('t')).toEqual({ position: pending.position, event });
      expect(log.lastTagged('b')).toBeUndefined();
    });

    it('knows whether a tag begins so, and after a restart perhaps not yet', async () => {
      expect(log.hasTagBeginning('')).toBe(false);
      const appended = log.append(oneAppend('a', [sampleEvent(1, { tags: ['key:a/"b"'] })]));
      const beginnings = ['', 'key:a/"', 'key:a/"b"', 'key:a/"b"c', 'key:b', 'a'];
      const asked = () => beginnings.map((beginning) => log.hasTagBeginning(beginning));
      const right = [true, true, true, false, false, false];
      expect(asked()).toEqual(right);
      await log.whenDurable(appended.position);
      await log.close();
      log = await engine.open();
      expect(right.map((is, index) => asked()[index] ?? is)).toEqual(right);
    });

    it('gives the same answers as a plain list of events, before and after a restart', async () => {
      await fc.assert(
        fc.asyncProperty(someCommits, someReads, async (commits, reads) => {
          const own = await make();
          let tested = await own.open();
          const model: RecordedEvent[] = [];
          for (const commit of commits) model.push(...tested.append(commit).events);
          await tested.whenDurable(tested.lastPosition);
          for (let round = 0; round < 2; round++) {
            expect(await allEvents(tested)).toEqual(model);
            for (const read of reads)
              expect([read, await collected(readFrom(tested, read))]).toEqual([
                read,
                readFromModel(model, read),
              ]);
            await tested.close();
            tested = await own.open();
          }
          await tested.close();
          await own.dispose();
        }),
        { numRuns: runs({ short: 4, long: 15 }) },
      );
    });

    describe('state', () => {
      const totals: Evolve = ({ stream, data, recordedAtMillis }, state) => {
        const section = state.section<readonly number[]>('totals');
        const [count = 0, sum = 0] = section.get(stream) ?? [];
        section.set(stream, [count + 1, sum + Number(data['number']), recordedAtMillis]);
      };
      const streams = ['a', 'b', 'c', 'd'];
      const totalsOf = (state: StateStore): unknown[] =>
        streams.map((stream) => state.section<readonly number[]>('totals').get(stream));

      it('follows every append at once, and is the same after a restart', async () => {
        const live = new InMemoryStateStore();
        await reopen({ state: live, evolve: totals });
        expect(totalsOf(live)).toEqual([undefined, undefined, undefined, undefined]);
        for (let number = 1; number <= 200; number++) {
          const stream = streams[number % 3]!;
          const event = sampleEvent(number);
          log.append(oneAppend(stream, [event]));
          const [count] = live.section<readonly number[]>('totals').get(stream)!;
          expect(count).toBe(log.streamVersion(stream));
        }
        const replayed = new InMemoryStateStore();
        await reopen({ state: replayed, evolve: totals });
        expect(totalsOf(replayed)).toEqual(totalsOf(live));
      });

      it('sees the same events live as it sees them replayed', async () => {
        const seen: RecordedEvent[][] = [[], []];
        await reopen({ evolve: (event) => void seen[0]!.push(event) });
        log.append({
          appends: [
            {
              stream: 'a',
              expectedVersion: 'any',
              events: [
                sampleEvent(1, {
                  data: {
                    a: undefined,
                    b: [-0, 1e21, '\ud800'],
                    nested: { c: null },
                  },
                  metadata: { x: undefined, y: 1 },
                  tags: ['t', 't'],
                }),
              ],
            },
            { stream: 'b', expectedVersion: 'any', events: sampleEvents(3) },
          ],
          metadata: { key: 'k' },
        });
        await reopen({ evolve: (event) => void seen[1]!.push(event) });
        expect(seen[0]).toHaveLength(4);
        expect(seen[1]).toStrictEqual(seen[0]);
        expect(await allEvents(log)).toStrictEqual(seen[0]);
      });

      it('that cannot follow an event poisons the log, because it would differ from what is recorded', async () => {
        await reopen({ evolve: failAt(3) });
        await log.appendDurably(oneAppend('s', [sampleEvent(1)]));
        expect(log.poisoned).toBeUndefined();
        const commit = oneAppend('s', [sampleEvent(2), sampleEvent(3), sampleEvent(4)]);
        const broken = expect.objectContaining({
          code: 'EVENT_STATE_BROKEN',
          details: { position: 3, type: 'Counted' },
          cause: expect.objectContaining({ message: 'cannot fold 3' }),
        });
        expect(() => log.append(commit)).toThrow(broken);
        expect(log.poisoned).toEqual(broken);
        expect(await log.failed).toBe(log.poisoned);
        expect(() => log.append(oneAppend('s', [sampleEvent(5)]))).toThrow(broken);
        await expect(log.whenDurable(position(1))).rejects.toEqual(broken);
        await expect(reopen({ evolve: failAt(3) })).rejects.toEqual(broken);
        // The commit stands: a program that can fold it finds it whole.
        log = await engine.open();
        expect(await allEvents(log)).toHaveLength(4);
      });
    });

    it('does not let the state append while it is folded', async () => {
      await reopen({ evolve: ({ position }) => position === 1 && nested() });
      const nested = (): unknown => log.append(oneAppend('nested', [sampleEvent(2)]));
      expect(() => log.append(oneAppend('s', [sampleEvent(1)]))).toThrow(
        expect.objectContaining({ code: 'EVENT_STATE_BROKEN' }),
      );
      expect(log.lastPosition).toBe(1);
    });

    describe('upcasters', () => {
      const present = new Upcasters([
        {
          type: 'Counted',
          schemaVersion: 3,
          steps: {
            1: ({ number }) => ({ count: number ?? null }),
            2: ({ count }, { stream }) => ({ count: count ?? null, of: stream }),
          },
        },
      ]);
      const upcasted = { schemaVersion: 3, data: { count: 7, of: 's' } };

      it('bring older events up to date wherever they are read, and nowhere else', async () => {
        const written = await log.appendDurably(oneAppend('s', [sampleEvent(7, { tags: ['t'] })]));
        const seen: RecordedEvent[] = [];
        await reopen({ upcasters: present, evolve: (event) => void seen.push(event) });
        const expected = [{ ...written.events[0], ...upcasted }];
        expect(seen).toEqual(expected);
        expect(await allEvents(log)).toEqual(expected);
        expect(await allEvents(log, { direction: 'backward' })).toEqual(expected);
        expect(await collected(log.readStream('s'))).toEqual(expected);
        expect(await collected(log.readTag('t'))).toEqual(expected);
        expect(log.eventAt(position(1))).toEqual(expected[0]);
        await reopen();
        expect(await allEvents(log)).toEqual(written.events);
      });

      it('leave the newest event with a tag as it was recorded', async () => {
        const written = await log.appendDurably(oneAppend('s', [sampleEvent(7, { tags: ['t'] })]));
        await reopen({ upcasters: present });
        expect(log.lastTagged('t')).toEqual({ position: 1, event: written.events[0] });
        expect(log.admittedAt(position(1))).toMatchObject(upcasted);
      });

      it('leave types alone that they do not name', async () => {
        const event = sampleEvent(1, { type: 'Other', schemaVersion: 9 });
        await reopen({ upcasters: present });
        const written = await log.appendDurably(oneAppend('s', [event]));
        expect(await allEvents(log)).toEqual(written.events);
      });

      it('fail, by the position, where a step gives no data', async () => {
        await log.appendDurably(oneAppend('s', [sampleEvent(7)]));
        const steps = { 1: () => undefined as never };
        const forgetful = new Upcasters([{ type: 'Counted', schemaVersion: 2, steps }]);
        const failed = { code: 'EVENT_UPCAST_FAILED', details: { position: 1, from: 1 } };
        await reopen({ upcasters: forgetful });
        await expect(allEvents(log)).rejects.toMatchObject(failed);
        await log.close();
        const evolve = (): void => undefined;
        await expect(engine.open({ upcasters: forgetful, evolve })).rejects.toMatchObject(failed);
        log = await engine.open();
      });

      it('refuse to write any version of a type but the present one', async () => {
        await reopen({ upcasters: present });
        for (const schemaVersion of [2, 4])
          expect(() => log.append(oneAppend('s', [sampleEvent(1, { schemaVersion })]))).toThrow(
            expect.objectContaining({ code: 'EVENT_INVALID' }),
          );
        const { schemaVersion, data } = upcasted;
        log.append(oneAppend('s', [sampleEvent(1, { schemaVersion, data })]));
      });

      it('refuse an event of a newer version than they know, by its position', async () => {
        await log.appendDurably(oneAppend('s', [sampleEvent(7)]));
        await log.appendDurably(oneAppend('s', [sampleEvent(7, { schemaVersion: 4 })]));
        const unknown = {
          code: 'EVENT_UNKNOWN_SCHEMA',
          details: { position: 2, type: 'Counted', schemaVersion: 4, known: 3 },
        };
        await reopen({ upcasters: present });
        expect(log.eventAt(position(1))).toMatchObject(upcasted);
        expect(() => log.eventAt(position(2))).toThrow(expect.objectContaining(unknown));
        await expect(allEvents(log)).rejects.toMatchObject(unknown);
        await expect(collected(log.readStream('s'))).rejects.toMatchObject(unknown);
        await log.close();
        const evolve = (): void => undefined;
        await expect(engine.open({ upcasters: present, evolve })).rejects.toMatchObject(unknown);
        log = await engine.open();
      });
    });
  });
}

function failAt(failing: number): Evolve {
  return ({ position }) => {
    if (position === failing) throw new Error(`cannot fold ${position}`);
  };
}

/** A read of the model test: of a stream, of a tag, or of everything by a filter. */
interface SomeRead {
  readonly of: 'stream' | 'tag' | 'all';
  readonly term: string;
  readonly direction: 'forward' | 'backward';
  readonly from: number | undefined;
  readonly limit: number | undefined;
}

const streamName = fc.constantFrom('a', 'b', 'c');
const tagName = fc.constantFrom('x', 'y', 'z');

const someCommits: fc.Arbitrary<Commit[]> = fc.array(
  fc
    .array(
      fc.record({
        stream: streamName,
        tags: fc.array(tagName, { maxLength: 3 }),
        count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 150 })),
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((appends) => ({
      appends: appends.map(({ stream, tags, count }) => ({
        stream,
        expectedVersion: 'any' as const,
        events: Array.from({ length: count }, (_, number) => ({
          id: randomUUID(),
          type: 'Counted',
          schemaVersion: 1,
          tags,
          data: { number },
        })),
      })),
    })),
  { maxLength: 12 },
);

const someReads: fc.Arbitrary<SomeRead[]> = fc.array(
  fc.record({
    of: fc.constantFrom('stream', 'tag', 'all'),
    term: fc.oneof(streamName, tagName),
    direction: fc.constantFrom('forward', 'backward'),
    from: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
    limit: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
  }),
  { minLength: 10, maxLength: 10 },
);

async function* readFrom(log: EventLog, read: SomeRead): AsyncGenerator<RecordedEvent> {
  const { term, direction } = read;
  const limit = read.limit === undefined ? {} : { limit: read.limit };
  const after = read.from === undefined ? {} : { after: position(read.from) };
  if (read.of === 'all') {
    const filter = { tags: [term] };
    yield* await allEvents(log, { direction, filter, batchEvents: 10, ...after });
  } else if (read.of === 'tag') {
    yield* log.readTag(term, { direction, ...limit, ...after });
  } else {
    const from = read.from === undefined ? {} : { from: read.from as StreamVersion };
    yield* log.readStream(term, { direction, ...limit, ...from });
  }
}

function readFromModel(events: readonly RecordedEvent[], read: SomeRead): RecordedEvent[] {
  const { of, term, direction, from, limit = Infinity } = read;
  const forward = direction === 'forward';
  const first = from ?? (forward ? -Infinity : Infinity);
  const isWithin = (event: RecordedEvent): boolean => {
    if (of === 'stream') return forward ? event.version >= first : event.version <= first;
    return forward ? event.position > first : event.position < first;
  };
  const isOf = (event: RecordedEvent): boolean =>
    of === 'stream' ? event.stream === term : event.tags.includes(term);
  const found = events.filter((event) => isOf(event) && isWithin(event));
  const ordered = forward ? found : found.reverse();
  return of === 'all' ? ordered : ordered.slice(0, limit);
}
