import { expect, it } from '@jest/globals';
import { type Decider, type DeciderDefinition, decider, refusing } from './decider.js';
import { lookup } from './lookup.js';

type Ask = { type: 'Ask'; id: string };
type Asked = { type: 'Asked'; data: { n: number } };

/** All of a decider but its state. */
const rest = {
  name: 'thing',
  idOf: ({ id }: Ask) => id,
  decide: { Ask: (): Asked => ({ type: 'Asked', data: { n: 1 } }) },
  evolve: { Asked: <State>(state: State) => state },
} satisfies Partial<DeciderDefinition<unknown, Ask, Asked>>;

interface Plain {
  readonly days: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly status: 'open' | 'closed';
  readonly note?: string;
}
type Deep = { readonly days: { readonly of: Map<string, number> } } | null;
type Dated = { readonly at: Date } | null;

type Ping = { type: 'Ping'; id: string };
type Pong = { type: 'Pong'; id: string };
type Pinged = { type: 'Pinged'; data: object };
type Ponged = { type: 'Ponged'; data: object };

/** Two that name each other: the type of one of them is written. */
const ping: Decider<number, Ping, Pinged> = decider<number, Ping, Pinged>({
  ...{ name: 'ping', initial: 0, idOf: ({ id }) => id },
  decide: {
    Ping: ({ id }, _, { read }) =>
      read(pong, id) > 0
        ? { type: 'Pinged', data: {} }
        : [{ type: 'Pinged', data: {} }, pong.on(id, { type: 'Ponged', data: {} })],
  },
  evolve: { Pinged: (count) => count + 1 },
});
const pong = decider<number, Pong, Ponged>({
  ...{ name: 'pong', initial: 0, idOf: ({ id }) => id },
  decide: { Pong: ({ id }) => [ping.on(id, { type: 'Pinged', data: {} })] },
  evolve: { Ponged: (count) => count + 1 },
});

const deep: Deep = null;
const dated: Dated = null;
const noEvolve = {};
const noDecide = {};
const other = { Other: { version: 2, upcast: {} } };

/** Held by the type-checker (`npm run check:types`): each line below a `@ts-expect-error` does not compile, or the check fails. */
it('what a service cannot mean does not compile', () => {
  decider<Plain | null, Ask, Asked>({ ...rest, initial: null });
  decider<readonly Plain[], Ask, Asked>({ ...rest, initial: [] });
  const counter = decider<number, Ask, Asked>({ ...rest, initial: 0 });

  // @ts-expect-error a Map is {} after a restart
  decider<Map<string, number>, Ask, Asked>({ ...rest, initial: new Map() });
  // @ts-expect-error also deep in a state that begins without one
  decider<Deep, Ask, Asked>({ ...rest, initial: deep });
  // @ts-expect-error a Date is a text after a restart
  decider<Dated, Ask, Asked>({ ...rest, initial: dated });
  // @ts-expect-error undefined in a list is null after a restart
  decider<(number | undefined)[], Ask, Asked>({ ...rest, initial: [] });
  // @ts-expect-error a member that is undefined is gone after a restart; one that is left out is not there before either
  decider<{ a: number | undefined }, Ask, Asked>({ ...rest, initial: { a: undefined } });
  // @ts-expect-error a bigint is no JSON
  decider<bigint, Ask, Asked>({ ...rest, initial: 0n });
  // @ts-expect-error each event is evolved
  decider<number, Ask, Asked>({ ...rest, initial: 0, evolve: noEvolve });
  // @ts-expect-error each command is decided
  decider<number, Ask, Asked>({ ...rest, initial: 0, decide: noDecide });
  // @ts-expect-error an event of another type is not the decider's
  decider<number, Ask, { type: 'Told'; data: object }>({ ...rest, initial: 0 });
  // @ts-expect-error only events of the decider have versions
  decider<number, Ask, Asked>({ ...rest, initial: 0, schemas: other });
  // @ts-expect-error the state of a lookup is plain too
  lookup<Set<string>, Asked>({ name: 'by-day', initial: new Set(), on: {} });
  lookup<number, Asked>({
    ...{ name: 'by-day', initial: 0 },
    // @ts-expect-error an entry has the state of the lookup
    on: { Asked: ({ id }) => [[id, 'one']] },
  });
  const event = <Data extends object>(data: Data) => ({ type: 'Asked' as const, data });
  const asking = <Data extends object>(data: Data) => ({
    ...{ ...rest, initial: 0, decide: { Ask: () => event(data) } },
    evolve: { Asked: (count: number) => count + 1 },
  });
  type Of<Data extends object> = { type: 'Asked'; data: Data };
  decider<number, Ask, Of<Plain>>(asking<Plain>({ days: {}, tags: [], status: 'open' }));
  // @ts-expect-error a Date is a text when it is read
  decider<number, Ask, Of<{ at: Date }>>(asking({ at: new Date(0) }));
  // @ts-expect-error a Map is {}
  decider<number, Ask, Of<{ of: Map<string, number> }>>(asking({ of: new Map<string, number>() }));
  // @ts-expect-error a Set too, however deep
  decider<number, Ask, Of<{ of: { in: Set<string>[] } }>>(asking({ of: { in: [new Set('a')] } }));
  // @ts-expect-error a bigint is no JSON
  decider<number, Ask, Of<{ of: bigint }>>(asking({ of: 1n }));
  // @ts-expect-error nor is a function
  decider<number, Ask, Of<{ of: () => number }>>(asking({ of: () => 1 }));
  // @ts-expect-error a member that is undefined is not in the log
  decider<number, Ask, Of<{ of: string | undefined }>>(asking({ of: undefined }));
  // @ts-expect-error one event of many is enough
  decider<number, Ask, Asked | { type: 'Asked'; data: { at: Date } }>(asking({ n: 1 }));
  const refuse = refusing({ 'no-room': { status: 404 }, 'room-taken': {} });
  refuse('no-room', { day: 'monday' });
  // @ts-expect-error a problem has a name of its table
  expect(() => refuse('no-rom')).toThrow('no-rom is one of the problems of the table');
  // @ts-expect-error a command has the fields of its type
  const incomplete = counter.command('Ask', {});
  // @ts-expect-error and a type of the decider
  const unknown: object = counter.command('Other', { id: 'a' });
  expect(pong.command('Pong', { id: 'a' })).toEqual({ type: 'Pong', id: 'a' });
  expect([incomplete, unknown]).toEqual([{ type: 'Ask' }, { type: 'Other', id: 'a' }]);
});
