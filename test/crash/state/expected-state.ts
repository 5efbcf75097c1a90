import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Commit, WalEventLog } from '@holdfast/event-store';

/** Few enough for each to be changed by every checkpoint. */
const SHARED_STREAMS = 23;
export const COMMIT_EVENTS = 3;
/** Some dozens of commits fill a segment of the smallest kind: there is something to remove. */
const FILLER = 'x'.repeat(400);

/** The commit of a number, with a key of its own: a shared stream is changed, or loses an entry, and a new one comes. */
export function countedCommit(number: number): Commit {
  const event = (at: number) => ({
    id: randomUUID(),
    type: 'Counted',
    schemaVersion: 1,
    tags: [`t-${number % 7}`, `key-${number}`],
    data: { number: at, filler: FILLER },
  });
  const at = COMMIT_EVENTS * number;
  return {
    appends: [
      {
        stream: `s-${number % SHARED_STREAMS}`,
        expectedVersion: 'any',
        events: [event(at), event(at + 1)],
      },
      { stream: `only-${number}`, expectedVersion: 'no-stream', events: [event(at + 2)] },
    ],
  };
}

/**
 * What the state of a log must be, kept in maps: none of the code that is under test has a hand in it. Folds as `evolve` of `counting.ts` does.
 */
export class ExpectedState {
  private position = 0;
  private readonly counts = new Map<string, number>();
  private readonly last = new Map<string, object | undefined>();

  /** Of the first commits of a history, up to a position at the end of one. */
  static at(position: number, commits: readonly Commit[]): ExpectedState {
    const expected = new ExpectedState();
    for (const commit of commits) if (expected.position < position) expected.add(commit);
    return expected;
  }

  /** Looks at every key that there is or was, and says which is not as it must be. Throws what reading throws. */
  assertSame({ lastPosition, state }: Pick<WalEventLog, 'lastPosition' | 'state'>): void {
    if (lastPosition !== this.position)
      throw new Error(`the log ends at ${lastPosition}, and commits at ${this.position}`);
    const counts = state.section<number>('counts');
    const last = state.section<object>('last');
    for (const [stream, count] of this.counts) {
      const found = [counts.get(stream), last.get(stream)];
      const wanted = [count, this.last.get(stream)];
      if (isDeepStrictEqual(found, wanted)) continue;
      const texts = [found, wanted].map((values) => JSON.stringify(values));
      throw new Error(`${stream} at ${this.position} is ${texts.join(' and not ')}`);
    }
  }

  private add({ appends }: Commit): void {
    for (const { stream, events } of appends) {
      for (const { data } of events) {
        const { number } = data as unknown as { readonly number: number };
        const isDeleted = number % 5 === 0;
        this.position++;
        this.counts.set(stream, (this.counts.get(stream) ?? 0) + 1);
        const text = 'x'.repeat(number % 300);
        this.last.set(stream, isDeleted ? undefined : { number, text });
      }
    }
  }
}
