/**
 * Whether a history of concurrent operations could have come from operations that took effect one after another, each at one moment between its call and its
 * return. The algorithm is that of Wing and Gong (1993) with the memory of Lowe ("Testing for linearizability", 2017), as Porcupine has it; it knows nothing of
 * what it checks but the model.
 */

/** What one thing after another does to a state. States are values: a step makes another one. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /** Every state that there may be afterwards; none where this answer cannot be. An answer that nobody has seen is undefined, and any will do. */
  step(state: State, input: Input, output: Output | undefined): readonly State[];
  /** Equal for equal states. */
  key(state: State): string;
}

export interface Operation<Input, Output> {
  readonly input: Input;
  /** Left out where nobody knows how it ended. */
  readonly output?: Output;
  readonly calledAt: number;
  /** By when it has taken effect. Left out: it did at some moment after its call, or never. */
  readonly returnedAt?: number;
}

/** A call or a return, in a list that operations are taken out of and put back into. */
interface Entry {
  readonly operation: number;
  /** Of a call, where it has one. */
  readonly return: Entry | undefined;
  readonly isCall: boolean;
  before: Entry | undefined;
  after: Entry | undefined;
}

interface Taken<State> {
  readonly call: Entry;
  readonly stateBefore: State;
}

/** The order in which the operations may have taken effect, by their indexes; undefined if there is none. Times are all different. */
export function linearization<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): readonly number[] | undefined {
  const head = entriesOf(operations);
  const seen = new Set<string>();
  const taken: Taken<State>[] = [];
  let isTaken = 0n;
  let left = operations.filter(({ returnedAt }) => returnedAt !== undefined).length;
  let state = model.initial;
  let entry = head.after;
  while (left > 0) {
    if (entry?.isCall === true) {
      const { input, output } = operations[entry.operation] as Operation<Input, Output>;
      const takenThen = isTaken | (1n << BigInt(entry.operation));
      const next = model.step(state, input, output).find((one) => {
        const place = `${takenThen.toString(36)} ${model.key(one)}`;
        return !seen.has(place) && seen.add(place);
      });
      if (next === undefined) {
        entry = entry.after;
      } else {
        taken.push({ call: entry, stateBefore: state });
        [state, isTaken] = [next, takenThen];
        if (entry.return !== undefined) left--;
        takeOut(entry);
        entry = head.after;
      }
    } else {
      // Something has returned that cannot have taken effect yet: what was taken last was wrong.
      const last = taken.pop();
      if (last === undefined) return undefined;
      state = last.stateBefore;
      isTaken &= ~(1n << BigInt(last.call.operation));
      if (last.call.return !== undefined) left++;
      putBack(last.call);
      // Another of its states, if there is one, or what was called after it.
      entry = last.call;
    }
  }
  return taken.map(({ call }) => call.operation);
}

/** Calls and returns by their times, behind a head that is neither. */
function entriesOf(operations: readonly Operation<unknown, unknown>[]): Entry {
  const timed = operations.flatMap(({ calledAt, returnedAt }, operation) => {
    const links = { before: undefined, after: undefined };
    const end: Entry | undefined =
      returnedAt === undefined
        ? undefined
        : { operation, return: undefined, isCall: false, ...links };
    const call: Entry = { operation, return: end, isCall: true, ...links };
    return [
      { at: calledAt, entry: call },
      ...(end === undefined ? [] : [{ at: returnedAt ?? 0, entry: end }]),
    ];
  });
  const head: Entry = {
    ...{ operation: -1, return: undefined, isCall: false },
    ...{ before: undefined, after: undefined },
  };
  let last = head;
  for (const { entry } of timed.toSorted((one, other) => one.at - other.at)) {
    last.after = entry;
    entry.before = last;
    last = entry;
  }
  return head;
}

function takeOut(call: Entry): void {
  for (const entry of call.return === undefined ? [call] : [call, call.return]) {
    if (entry.before !== undefined) entry.before.after = entry.after;
    if (entry.after !== undefined) entry.after.before = entry.before;
  }
}

/** In the order opposite to that of `takeOut`, so that neighbours are there again. */
function putBack(call: Entry): void {
  for (const entry of call.return === undefined ? [call] : [call.return, call]) {
    if (entry.before !== undefined) entry.before.after = entry;
    if (entry.after !== undefined) entry.after.before = entry;
  }
}
