import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { specify } from '../testing/specify.js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AnyCommand } from '../model/command-model.js';
import { type RoomEvent, guest, guestBookings, room } from '../testing/rooms.js';
import { type CommandWriter, openCommandWriter } from '../writer/command-writer.js';
import { type CombinedParts, combined } from './combined.js';
import { type Answerables, type Read, decider, refuse } from './decider.js';
import { lookup } from './lookup.js';

const bookings: CombinedParts = { deciders: [room, guest], lookups: [guestBookings] };
const wal = { create: true, segmentBytes: 128 * 1024, frameBytesMax: 64 * 1024 };
const attempt = (key: string) => ({ actor: 'tester', idempotency: { key, bodyHash: 'hash' } });
const add = room.command('AddRoom', { room: 'blue', capacity: 2 });
const book = (day: string, by = 'ann') =>
  room.command('BookRoom', { room: 'blue', day, guest: by, people: 1 });

const nonsense = (of: typeof room) => ({ ...of, answer: () => ({ nonsense: true }) });

let directory: string;
let writer: CommandWriter<AnyCommand, object, Read>;

async function reopen(parts = bookings): Promise<void> {
  await writer.close();
  writer = await openCommandWriter(join(directory, 'log'), combined(parts), { wal });
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'combined-'));
  writer = await openCommandWriter(join(directory, 'log'), combined(bookings), { wal });
});
afterEach(async () => {
  await writer.close();
  rmSync(directory, { recursive: true });
});

describe('deciders and lookups in one model', () => {
  it('decide on the state of any entity, in one commit, also after a restart', async () => {
    await writer.execute(add, attempt('add'));
    const first = await writer.execute(book('mon'), attempt('mon'));
    expect(first).toMatchObject({
      ...{ outcome: 'accepted', position: 2, replayed: false },
      answer: { id: 'blue', day: 'mon', guest: 'ann', people: 1 },
    });
    expect(writer.log.lastPosition).toBe(3);
    await reopen();
    expect([writer.view(guest, 'ann'), writer.view(guestBookings, 'ann')]).toEqual([1, 1]);
    expect(writer.view(room, 'blue')).toEqual({ capacity: 2, days: { mon: 'ann' } });
    expect(writer.view(room, 'red')).toBeNull();
    expect(await writer.execute(book('mon'), attempt('mon'))).toEqual({ ...first, replayed: true });
    await writer.execute(book('tue'), attempt('tue'));
    expect(await writer.execute(book('wed'), attempt('wed'))).toMatchObject({
      outcome: 'rejected',
      answer: { command: 'BookRoom', problem: 'too-many-bookings', parameters: { max: 2 } },
    });
  });

  it('answer from all the events of a command, and a repetition as it was told then', async () => {
    const telling = {
      ...room,
      answer: (events: Answerables) => ({
        day: events[0].data['day'] ?? null,
        with: events.map(({ stream, type }) => `${type} of ${stream}`),
      }),
    };
    const parts = { ...bookings, deciders: [telling, guest] };
    await reopen(parts);
    const dry = { ...attempt('mon'), dryRun: true };
    const told = {
      day: 'mon',
      with: ['RoomBooked of room/blue', 'GuestGreeted of guest/ann'],
    };
    await writer.execute(add, attempt('add'));
    expect(await writer.execute(book('mon'), dry)).toEqual({ kind: 'rehearsed', answer: told });
    const first = await writer.execute(book('mon'), attempt('mon'));
    expect(first).toMatchObject({ outcome: 'accepted', answer: told });
    for (const program of [parts, bookings, { ...parts, deciders: [nonsense(telling), guest] }]) {
      await reopen(program);
      const again = await writer.execute(book('mon'), attempt('mon'));
      expect(JSON.stringify(again)).toBe(JSON.stringify({ ...first, replayed: true }));
      const found = await writer.find({ scope: '', actor: 'tester', key: 'mon' });
      expect(JSON.stringify(found?.answer)).toBe(JSON.stringify(told));
    }
  });

  it('answer what an earlier program recorded without its answer as it did: from the first event', async () => {
    const answer = ([{ stream, data }, ...others]: Answerables) => ({
      at: stream,
      day: data['day'] ?? null,
      others: others.length,
    });
    const parts = { deciders: [{ ...room, answer }, guest], lookups: [guestBookings] };
    await writer.execute(add, attempt('add'));
    // As a program without the member in the metadata has left it.
    await writer.execute(book('mon'), attempt('mon'));
    await reopen(parts);
    const told = { at: 'room/blue', day: 'mon', others: 0 };
    expect(await writer.execute(book('mon'), attempt('mon'))).toMatchObject({
      ...{ replayed: true, answer: told },
    });
    const found = await writer.find({ scope: '', actor: 'tester', key: 'mon' });
    expect(found?.answer).toEqual(told);
  });

  it('use up the key of a command that finds nothing to do', async () => {
    await writer.execute(add, attempt('add'));
    await writer.execute(book('mon'), attempt('mon'));
    expect(await writer.execute(book('mon'), attempt('again'))).toMatchObject({
      ...{ outcome: 'accepted', answer: { command: 'BookRoom', id: 'blue' } },
    });
    const cancel = room.command('CancelBooking', { room: 'blue', day: 'mon', guest: 'ann' });
    await writer.execute(cancel, attempt('cancel'));
    // A late duplicate books nothing, though the day is free by now.
    expect(await writer.execute(book('mon'), attempt('again'))).toMatchObject({ replayed: true });
    expect(writer.view(room, 'blue')).toEqual({ capacity: 2, days: {} });
  });

  it('need no key where a command is idempotent by its id', async () => {
    const actor = 'tester';
    expect(await writer.execute(add, { actor })).toMatchObject({ kind: 'answered', position: 1 });
    expect(await writer.execute(add, { actor })).toMatchObject({ kind: 'answered', position: 1 });
    expect(writer.log.lastPosition).toBe(1);
    expect(await writer.execute(book('mon'), { actor })).toMatchObject({ kind: 'malformed' });
  });

  it('bring events of older versions up to date for what decides, and for no answer', async () => {
    const older = { ...room, schemas: {} };
    await reopen({ deciders: [older, guest], lookups: [guestBookings] });
    await writer.execute(add, attempt('add'));
    const withoutPeople = { type: 'BookRoom', room: 'blue', day: 'mon', guest: 'ann' };
    const first = await writer.execute(withoutPeople, attempt('mon'));
    await reopen();
    expect(writer.view(room, 'blue')).toEqual({ capacity: 2, days: { mon: 'ann' } });
    expect(await writer.execute(withoutPeople, attempt('mon'))).toEqual({
      ...first,
      replayed: true,
    });
    expect(first).toMatchObject({ answer: { id: 'blue', day: 'mon', guest: 'ann' } });
  });

  it('refuse a log with events that none of them knows, unless they are retired', async () => {
    await writer.execute(add, attempt('add'));
    await writer.execute(book('mon'), attempt('mon'));
    const withoutGuests = { deciders: [room], lookups: [guestBookings] };
    await expect(reopen(withoutGuests)).rejects.toThrow(
      expect.objectContaining({
        code: 'EVENT_STATE_BROKEN',
        cause: expect.objectContaining({ code: 'COMMANDS_EVENT_UNKNOWN' }),
      }),
    );
    await reopen({ ...withoutGuests, retired: ['GuestGreeted'] });
    expect(writer.view(room, 'blue')).toMatchObject({ days: { mon: 'ann' } });
  });

  it('do not begin with the state of another version', () => {
    const versionOf = (parts: CombinedParts) => combined(parts).stateVersion;
    expect(versionOf(bookings)).toBe(
      'BookingCancelled@1 GuestGreeted@1 RoomAdded@1 RoomBooked@2 guest-1 guest-bookings-1 room-1',
    );
    expect(versionOf({ ...bookings, lookups: [{ ...guestBookings, version: 2 }] })).not.toBe(
      versionOf(bookings),
    );
  });

  it('begin with the state of a program that had fewer, also where the log has lost its beginning', async () => {
    const state = {
      directory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
    };
    const open = (parts: CombinedParts) =>
      openCommandWriter(join(directory, 'log'), combined(parts), { wal, state });
    await writer.close();
    writer = await open({ ...bookings, deciders: [room, guest] });
    await writer.execute(add, attempt('add'));
    for (let at = 0; at < 400; at += 40) {
      const greeted = Array.from({ length: 40 }, (_, more) => {
        const greet = guest.command('GreetGuest', {
          guest: `g${at + more}`,
          room: 'x'.repeat(400),
        });
        return writer.execute(greet, attempt(`greet-${at + more}`));
      });
      await Promise.all(greeted);
    }
    await writer.log.snapshot();
    const below = writer.log.wal.lastSequence;
    await writer.log.wal.maintenance.removeSegments({ below });
    expect(writer.log.firstPosition).toBeGreaterThan(1);
    await writer.close();
    const thing = decider<number, { type: 'Ask'; id: string }, { type: 'Asked'; data: object }>({
      ...{ name: 'thing', initial: 0, idOf: ({ id }) => id },
      decide: { Ask: () => ({ type: 'Asked', data: {} }) },
      evolve: { Asked: (count) => count + 1 },
    });
    const more = { ...bookings, deciders: [room, guest, thing] };
    const { stateVersion } = combined(bookings);
    await expect(open(more)).rejects.toMatchObject({
      code: 'EVENT_STATE_FOREIGN',
      message: expect.stringContaining('another program'),
      details: { madeBy: stateVersion, stateVersion: combined(more).stateVersion },
    });
    writer = await open({ ...more, takesOver: { [stateVersion]: { leaveOut: [] } } });
    expect(writer.view(room, 'blue')).toEqual({ capacity: 2, days: {} });
    await writer.execute(thing.command('Ask', { id: 'a' }), attempt('ask'));
    expect(writer.view(thing, 'a')).toBe(1);
  });

  it('refuse what they could not fold or tell, before it is in the log', async () => {
    await writer.execute(add, attempt('add'));
    // The key of a lookup, which no state takes.
    const half = book('mon', '\ud83d');
    await expect(writer.execute(half, attempt('half'))).rejects.toMatchObject({
      code: 'EVENT_INVALID',
    });
    const wrong = () => {
      throw new Error('a mistake of the program');
    };
    await reopen({
      ...bookings,
      deciders: [{ ...room, evolve: { ...room.evolve, RoomBooked: wrong } }, guest],
    });
    await expect(writer.execute(book('mon'), attempt('mon'))).rejects.toMatchObject({
      code: 'COMMANDS_DECIDER_BROKEN',
      message: expect.stringMatching(
        /^room cannot fold the RoomBooked of room\/blue .*: a mistake/,
      ),
    });
    const untold = { ...room, answer: () => ({ seats: 2n }) };
    await reopen({ ...bookings, deciders: [untold, guest] });
    await expect(writer.execute(book('mon'), attempt('mon'))).rejects.toMatchObject({
      code: 'COMMANDS_DECIDER_BROKEN',
      message: expect.stringMatching(/^room cannot answer with the RoomBooked of room\/blue /),
    });
    expect(writer.log.lastPosition).toBe(1);
    await reopen();
    // What a decision makes it sees folded, as the log will: the second event rests on the first.
    expect(await writer.execute(book('mon'), attempt('mon'))).toMatchObject({ position: 2 });
    expect(writer.view(room, 'blue')).toEqual({ capacity: 2, days: { mon: 'ann' } });
  });

  describe('that are not pure', () => {
    type Days = { readonly days: string[]; readonly read: number };
    type Take = { type: 'Take'; id: string; days: string[] };
    type Taken = { type: 'Taken'; data: { days: string[] } };
    const sound = {
      ...{ name: 'desk', initial: { days: [], read: 0 } as Days, idOf: ({ id }: Take) => id },
      decide: {
        Take: ({ days }: Take): Taken => ({ type: 'Taken', data: { days: [...days] } }),
      },
      evolve: {
        Taken: (state: Days, { days }: Taken['data']): Days => ({
          days: [...state.days, ...days],
          read: 0,
        }),
      },
    };
    const take = (id = 'a'): Take => ({ type: 'Take', id, days: ['tue', 'mon'] });
    const byDays = lookup<Days, Taken>({
      ...{ name: 'by-days', initial: { days: [], read: 0 } },
      on: { Taken: () => [['all', ({ days }) => ({ days, read: 0 })]] },
    });
    const folding = (fold: (event: Taken, before: Days) => Days) =>
      lookup<Days, Taken>({
        ...{ name: 'by-days', initial: byDays.initial },
        on: { Taken: (event) => [['all', (before) => fold(event, before)]] },
      });
    const sorting = (_: Days, { days }: Taken['data']): Days => ({ days: days.sort(), read: 0 });
    const pushing = (state: Days, { days }: Taken['data']): Days => {
      state.days.push(...days);
      return state;
    };
    /** Frozen at its top, as somebody means well. */
    const half = (state: Days, { days }: Taken['data']): Days =>
      Object.freeze(pushing({ ...state }, { days }));
    const halfFrozen = Object.freeze({ days: [], read: 0 });
    const models: [string, CombinedParts, string][] = [
      [
        'evolve changes a list in the state that it has made and frozen itself',
        {
          deciders: [
            decider<Days, Take, Taken>({ ...sound, initial: halfFrozen, evolve: { Taken: half } }),
          ],
        },
        'desk cannot fold the Taken of desk/a',
      ],
      [
        'evolve sorts the data of its event',
        { deciders: [decider<Days, Take, Taken>({ ...sound, evolve: { Taken: sorting } })] },
        'desk cannot fold the Taken of desk/a',
      ],
      [
        'evolve changes the state that it is given',
        { deciders: [decider<Days, Take, Taken>({ ...sound, evolve: { Taken: pushing } })] },
        'desk cannot fold the Taken of desk/a',
      ],
      [
        'a lookup sorts the data of its event',
        {
          deciders: [decider<Days, Take, Taken>(sound)],
          lookups: [folding(({ data }, before) => sorting(before, data))],
        },
        'by-days cannot fold the Taken of desk/a',
      ],
      [
        'a lookup changes the state that it is given',
        {
          deciders: [decider<Days, Take, Taken>(sound)],
          lookups: [folding(({ data }, before) => pushing(before, data))],
        },
        'by-days cannot fold the Taken of desk/a',
      ],
      [
        'an answer sorts the data of its event',
        {
          deciders: [
            decider<Days, Take, Taken>({
              ...sound,
              answer: ([{ data }]) => (data['days'] as string[]).sort(),
            }),
          ],
        },
        'desk cannot answer with the Taken of desk/a',
      ],
    ];
    const open = (parts: CombinedParts, name = 'desks') =>
      openCommandWriter(join(directory, name), combined(parts), { wal });

    it.each(models)(
      'change nothing, in a dry run too, and are named: %s',
      async (_, parts, sentence) => {
        const desks = await open(parts);
        const broken = {
          code: 'COMMANDS_DECIDER_BROKEN',
          message: expect.stringContaining(sentence),
        };
        try {
          for (const dryRun of [true, false, true])
            await expect(desks.execute(take(), { ...attempt('a'), dryRun })).rejects.toMatchObject(
              broken,
            );
          const [desk] = parts.deciders;
          expect(desks.view(desk!, 'a')).toEqual({ days: [], read: 0 });
          expect([desks.log.lastPosition, desks.failure]).toEqual([0, undefined]);
        } finally {
          await desks.close();
        }
      },
    );

    it('do not fold what an earlier program recorded either: a start is as strict as a command', async () => {
      const parts = { deciders: [decider<Days, Take, Taken>(sound)], lookups: [byDays] };
      const desks = await open(parts);
      await desks.execute(take(), attempt('a'));
      await desks.close();
      for (const [, impure, sentence] of models.slice(0, 5))
        await expect(open(impure)).rejects.toMatchObject({
          code: 'EVENT_STATE_BROKEN',
          cause: { message: expect.stringContaining(sentence) },
        });
    });

    class Shelf {
      readonly of = 1;
    }
    const bare = {
      get of() {
        return 1;
      },
    };
    const ring: { of?: unknown } = {};
    ring.of = ring;
    const states: [string, unknown][] = [
      ['state is NaN', NaN],
      ['state.of is Infinity', { of: Infinity }],
      ['state.of is undefined', { of: undefined }],
      ['state.of[1].by is -0', { of: [1, { by: -0 }] }],
      // eslint-disable-next-line no-sparse-arrays -- as a fold leaves one behind
      ['state[1] is undefined', [1, , 2]],
      ['state.of is an instance of Date', { of: new Date(0) }],
      ['state.of is an instance of Map', { of: new Map() }],
      ['state.of is an instance of Uint8Array', { of: new Uint8Array(1) }],
      ['state is an instance of Shelf', new Shelf()],
      ['state is an object with a getter', bare],
      ['state.of is a bigint', { of: 1n }],
      ['state.of holds itself', ring],
    ];

    it.each(states)('make no state that a restart would not: %s', async (fault, made) => {
      const odd = { initial: null as unknown, evolve: { Taken: () => made } };
      const inDecider = { ...sound, ...odd } as unknown as typeof room;
      const inLookup = lookup<never, Taken>({
        ...{ name: 'odd', initial: null as never },
        on: { Taken: () => [['all', made as never]] },
      });
      const desk = decider<Days, Take, Taken>(sound);
      for (const [at, parts] of [
        ['desk', { deciders: [inDecider] }],
        ['odd', { deciders: [desk], lookups: [inLookup] }],
      ] as const) {
        const desks = await open(parts, at);
        for (const dryRun of [true, false])
          await expect(desks.execute(take(), { ...attempt('a'), dryRun })).rejects.toMatchObject({
            code: 'COMMANDS_DECIDER_BROKEN',
            message: expect.stringMatching(
              new RegExp(
                `^${at} cannot fold the Taken of desk/a .*: ${fault.replace(/[[\]]/g, '\\$&')}`,
              ),
            ),
          });
        expect([desks.log.lastPosition, desks.failure]).toEqual([0, undefined]);
        await desks.close();
      }
    });

    it('begin with no state that could be changed in place', () => {
      const begun = (initial: unknown) => () => combined({ deciders: [{ ...sound, initial }] });
      for (const initial of [new Map(), new Shelf(), { of: new Date(0) }])
        expect(begun(initial)).toThrow('the initial state of desk');
      expect(begun(-Infinity)).not.toThrow();
      const half = Object.freeze({ of: [] as number[] });
      begun(half)();
      expect(() => half.of.push(1)).toThrow(TypeError);
    });

    it('change nothing below a state that an evolve froze at its top alone', async () => {
      const topAlone = (state: Days, { days }: Taken['data']): Days =>
        Object.freeze(state.read === 0 ? { days: [...days], read: 1 } : pushing(state, { days }));
      const desks = await open({
        deciders: [decider<Days, Take, Taken>({ ...sound, evolve: { Taken: topAlone } })],
      });
      await desks.execute(take(), attempt('a'));
      for (const dryRun of [true, false])
        await expect(desks.execute(take(), { ...attempt('b'), dryRun })).rejects.toMatchObject({
          code: 'COMMANDS_DECIDER_BROKEN',
        });
      expect(desks.view({ name: 'desk', initial: null as Days | null }, 'a')).toEqual({
        ...{ days: ['tue', 'mon'], read: 1 },
      });
      await desks.close();
    });

    it('cannot change in a decision what they read', async () => {
      const reading = decider<Days, Take, Taken>({
        ...sound,
        decide: {
          Take: (command, state) => {
            (state as { read: number }).read += 1;
            return sound.decide.Take(command);
          },
        },
      });
      const state = { directory: join(directory, 'state') };
      const model = (one: typeof reading) => combined({ deciders: [one] });
      const path = join(directory, 'desks');
      let desks = await openCommandWriter(path, model(reading), { wal, state });
      const refused = () =>
        expect(desks.execute(take(), attempt('a'))).rejects.toThrow('read only property');
      await refused();
      await desks.close();
      desks = await openCommandWriter(path, model(decider<Days, Take, Taken>(sound)), {
        wal,
        state,
      });
      await desks.execute(take(), attempt('first'));
      await desks.log.checkpoint();
      await desks.close();
      // Out of the database.
      desks = await openCommandWriter(path, model(reading), { wal, state });
      await refused();
      expect(desks.view(reading, 'a')).toEqual({ days: ['tue', 'mon'], read: 0 });
      await desks.close();
    });
  });

  describe('a unique name', () => {
    type Name = { type: 'Name'; desk: string; names: string[] };
    type Named = { type: 'Named'; data: { from: string | null; to: string } };
    const deskNamed = lookup<string | null, Named>({
      ...{ name: 'desk-named', initial: null },
      on: {
        Named: ({ id, data: { from, to } }) => [
          ...(from === null ? [] : ([[from, undefined]] as const)),
          [to, id],
        ],
      },
    });
    const named = decider<string | null, Name, Named>({
      ...{ name: 'desk', initial: null, idOf: (command) => command.desk },
      decide: {
        Name: ({ names, desk }, state, { read }) => {
          const taken = names.find((name) => ![null, desk].includes(read(deskNamed, name)));
          if (taken !== undefined) return refuse('name-taken', { name: taken });
          return names.map((to, at) => ({
            type: 'Named',
            data: { from: names[at - 1] ?? state, to },
          }));
        },
      },
      evolve: { Named: (_, { to }) => to },
    });
    const name = (desk: string, ...names: string[]) => named.command('Name', { desk, names });

    it('is free again after a rename, which changes two keys, also after a restart', async () => {
      const parts = { deciders: [named], lookups: [deskNamed] };
      const state = { directory: join(directory, 'state') };
      const open = () =>
        openCommandWriter(join(directory, 'desks'), combined(parts), { wal, state });
      let desks = await open();
      const found = () => ['low', 'mid', 'high'].map((of) => desks.view(deskNamed, of));
      await desks.execute(name('a', 'low'), attempt('low'));
      await desks.log.checkpoint();
      // The second event takes away what the first one set.
      await desks.execute(name('a', 'mid', 'high'), attempt('high'));
      expect(found()).toEqual([null, null, 'a']);
      for (const again of ['checkpointed', 'replayed']) {
        if (again === 'checkpointed') await desks.log.checkpoint();
        await desks.close();
        if (again === 'replayed') rmSync(state.directory, { recursive: true });
        desks = await open();
        expect(found()).toEqual([null, null, 'a']);
      }
      const refused = await desks.execute(name('b', 'high'), attempt('taken'));
      expect(refused).toMatchObject({ outcome: 'rejected', answer: { problem: 'name-taken' } });
      await desks.execute(name('b', 'low'), attempt('free'));
      expect(found()).toEqual(['b', null, 'a']);
      await desks.close();
    });

    it('is counted right where an event names one key twice', () => {
      const twice = lookup<number, Named>({
        ...{ name: 'twice', initial: 0 },
        on: {
          Named: ({ data: { to } }) => [
            [to, (count) => count + 1],
            [to, (count) => count + 1],
          ],
        },
      });
      const counting = decider<string | null, Name, Named>({
        ...named,
        decide: {
          Name: ({ desk }, _, { read }) => refuse('counted', { count: read(twice, desk) }),
        },
      });
      specify(counting, 'a', { lookups: [twice] })
        .given({ type: 'Named', data: { from: null, to: 'a' } })
        .when(name('a'))
        .thenRefused('counted', { count: 2 });
    });
  });

  it.each([
    ['an unknown type', { type: 'Unknown' }],
    ['no command', null],
    ['a text', 'AddRoom'],
    ['no id', { ...add, room: undefined }],
    ['an empty id', { ...add, room: '' }],
    ['half a character', { ...add, room: '\ud83d' }],
    ['an id too long for a stream', { ...add, room: 'r'.repeat(508) }],
  ])('take no command for one: %s', (_, command) => {
    expect(combined(bookings).malformationOf(command)).toMatchObject({ kind: 'malformed' });
  });

  it.each<[string, CombinedParts]>([
    ['one decider has AddRoom', { deciders: [room, { ...room, name: 'copy', evolve: {} }] }],
    ['one decider has RoomAdded', { deciders: [room, { ...room, name: 'copy', decide: {} }] }],
    ['a name of its own', { deciders: [room], lookups: [{ ...guestBookings, name: 'room' }] }],
    ['which a lookup folds', { deciders: [guest], lookups: [guestBookings] }],
    ['RoomAdded is retired, and', { deciders: [room], retired: ['RoomAdded'] }],
  ])('are held to be of one piece: %s', (problem, parts) => {
    expect(() => combined(parts)).toThrow(problem);
  });

  it('do not decide by a state that none of them keeps up to date', () => {
    const book = room.command('BookRoom', { room: 'blue', day: 'mon', guest: 'ann', people: 1 });
    const added = { type: 'RoomAdded', data: { capacity: 2 } } as const;
    expect(() => specify(room, 'blue').given(added).when(book).thenUnchanged()).toThrow(
      'guest-bookings is read, so it is one of the deciders or lookups',
    );
  });

  it('say which of them is read under no key, or has an entry under none', () => {
    const careless = decider<number, { type: 'Ask'; by?: string }, { type: 'Asked'; data: object }>(
      {
        ...{ name: 'careless', initial: 0, idOf: () => 'one' },
        decide: {
          Ask: ({ by }, _, { read }) =>
            refuse('asked', { count: read(guestBookings, by as string) }),
        },
        evolve: { Asked: (count) => count },
      },
    );
    const one = specify(careless, 'one', bookings);
    const blue = specify(room, 'blue', bookings);
    const added = { type: 'RoomAdded', data: { capacity: 2 } } as const;
    expect(() => one.given().when({ type: 'Ask' })).toThrow(
      'guest-bookings is read under a text, and not under undefined',
    );
    const cancelled = { type: 'BookingCancelled', data: { day: 'mon' } } as never;
    expect(() => blue.given(added, cancelled)).toThrow(
      'guest-bookings has an entry under a text, and not under undefined',
    );
  });

  it.each(['CommandRejected', 'CommandUnchanged'])('have no event of their own %s', (type) => {
    const own = { ...guest, evolve: { ...guest.evolve, [type]: () => 1 } };
    expect(() => combined({ deciders: [own] })).toThrow(
      `${type} is an event of every model, and a decider has it`,
    );
  });

  it('are named so that streams are', () => {
    for (const name of ['', 'Room', 'a/b', '1'])
      expect(() => lookup<number, RoomEvent>({ name, initial: 0, on: {} })).toThrow(
        `1 to 64 lower-case letters, digits and hyphens, the first a letter: "${name}" is not`,
      );
  });
});
