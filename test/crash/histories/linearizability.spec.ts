import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@holdfast/wal/testing';
import { type Operation, type SequentialModel, linearization } from './linearizability.js';

type Input = { readonly write: number } | 'read';
/** What a read has seen; a write answers nothing that says anything. */
type Output = number | 'done';

const register: SequentialModel<number, Input, Output> = {
  initial: 0,
  step: (state, input, output) => {
    if (input !== 'read') return [input.write];
    return output === undefined || output === state ? [state] : [];
  },
  key: String,
};

type Given = readonly [calledAt: number, returnedAt: number | undefined, Input, Output?];

function operations(given: readonly Given[]): Operation<Input, Output>[] {
  return given.map(([calledAt, returnedAt, input, output = 'done']) => ({
    input,
    calledAt,
    ...(returnedAt !== undefined && { output, returnedAt }),
  }));
}

describe('linearizability of a register', () => {
  it.each<[string, boolean, readonly Given[]]>([
    ['nothing at all', true, []],
    [
      'one after another',
      true,
      [
        [1, 2, { write: 1 }],
        [3, 4, 'read', 1],
      ],
    ],
    [
      'a read of what was never written',
      false,
      [
        [1, 2, { write: 1 }],
        [3, 4, 'read', 2],
      ],
    ],
    [
      'a read of what was overwritten before',
      false,
      [
        [1, 2, { write: 1 }],
        [3, 4, 'read', 0],
      ],
    ],
    [
      'a read during a write, of the old',
      true,
      [
        [1, 4, { write: 1 }],
        [2, 3, 'read', 0],
      ],
    ],
    [
      'a read during a write, of the new',
      true,
      [
        [1, 4, { write: 1 }],
        [2, 3, 'read', 1],
      ],
    ],
    [
      'the new and then the old, both during the write',
      false,
      [
        [1, 8, { write: 1 }],
        [2, 3, 'read', 1],
        [4, 5, 'read', 0],
      ],
    ],
    [
      'two writes at once, read in either order but one',
      true,
      [
        [1, 10, { write: 1 }],
        [2, 11, { write: 2 }],
        [3, 4, 'read', 2],
        [5, 6, 'read', 1],
      ],
    ],
    [
      'two writes at once, whose reads contradict one another',
      false,
      [
        [1, 10, { write: 1 }],
        [2, 11, { write: 2 }],
        [3, 4, 'read', 2],
        [5, 6, 'read', 1],
        [7, 8, 'read', 2],
      ],
    ],
    [
      'a write that nobody knows the end of, seen',
      true,
      [
        [1, undefined, { write: 1 }],
        [2, 3, 'read', 1],
      ],
    ],
    [
      'the same, never seen',
      true,
      [
        [1, undefined, { write: 1 }],
        [2, 3, 'read', 0],
      ],
    ],
    [
      'the same, seen and then gone',
      false,
      [
        [1, undefined, { write: 1 }],
        [2, 3, 'read', 1],
        [4, 5, 'read', 0],
      ],
    ],
    [
      'the same, seen before it was called',
      false,
      [
        [1, 2, 'read', 1],
        [3, undefined, { write: 1 }],
      ],
    ],
    [
      'a read that nobody knows the end of',
      true,
      [
        [1, undefined, 'read'],
        [2, 3, { write: 1 }],
      ],
    ],
  ])('%s: %s', (_name, isLinearizable, given) => {
    expect(linearization(register, operations(given)) !== undefined).toBe(isLinearizable);
  });

  it.each([
    ['either state', true, [0, 1]],
    ['one that is none of them', false, [2]],
    ['both, one after the other', false, [0, 1, 0]],
  ])(
    'of which a write may be lost, but not later than it returned: %s',
    (_name, expected, reads) => {
      const lossy: SequentialModel<number, Input, Output> = {
        ...register,
        step: (state, input, output) =>
          input !== 'read' && output === undefined
            ? [state, input.write]
            : register.step(state, input, output),
      };
      const write = { input: { write: 1 }, calledAt: 0, returnedAt: 1 };
      const histories =
        reads.length === 2
          ? reads.map((output) => [{ input: 'read' as const, output, calledAt: 2, returnedAt: 3 }])
          : [
              reads.map((output, at) => ({
                input: 'read' as const,
                output,
                calledAt: 2 + 2 * at,
                returnedAt: 3 + 2 * at,
              })),
            ];
      for (const history of histories)
        expect(linearization(lossy, [write, ...history]) !== undefined).toBe(expected);
    },
  );

  it('agrees with trying every order', () => {
    const random = new SeededRandom(5);
    const verdicts = { true: 0, false: 0 };
    for (let at = 0; at < 2_000; at++) {
      const history = randomHistory(random);
      const order = linearization(register, history);
      const expected = everyOrder(history, 0, new Set());
      expect([history, order !== undefined]).toEqual([history, expected]);
      verdicts[String(expected) as 'true' | 'false']++;
      if (order !== undefined) expect(endOf(history, order)).toBeDefined();
    }
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(200);
  });
});

function randomHistory(random: SeededRandom): Operation<Input, Output>[] {
  const count = 3 + random.below(3);
  const times = shuffled(random, 2 * count);
  return Array.from({ length: count }, (_, at) => {
    const [one = 0, other = 0] = times.slice(2 * at, 2 * at + 2);
    const input: Input = random.below(2) === 0 ? { write: 1 + random.below(2) } : 'read';
    const output = input === 'read' ? random.below(3) : 'done';
    const isKnown = random.below(5) > 0;
    return {
      input,
      calledAt: Math.min(one, other),
      ...(isKnown && { output, returnedAt: Math.max(one, other) }),
    };
  });
}

function shuffled(random: SeededRandom, count: number): number[] {
  const values = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [values[at], values[other]] = [values[other] ?? 0, values[at] ?? 0];
  }
  return values;
}

/** By the definition: some order keeps every return before every later call, and has a place for all that returned. */
function everyOrder(
  history: readonly Operation<Input, Output>[],
  state: number,
  done: ReadonlySet<number>,
): boolean {
  const left = history.filter((_, at) => !done.has(at));
  if (left.every(({ returnedAt }) => returnedAt === undefined)) return true;
  const firstReturn = Math.min(...left.map(({ returnedAt = Infinity }) => returnedAt));
  return history.some(({ input, output, calledAt }, at) => {
    if (done.has(at) || calledAt > firstReturn) return false;
    const nexts = register.step(state, input, output);
    return nexts.some((next) => everyOrder(history, next, new Set([...done, at])));
  });
}

function endOf(
  history: readonly Operation<Input, Output>[],
  order: readonly number[],
): number | undefined {
  return order.reduce<number | undefined>((state, at) => {
    const { input, output } = history[at]!;
    return state === undefined ? undefined : register.step(state, input, output)[0];
  }, register.initial);
}
