import { assert } from '@holdfast/kernel';

type Settled<Value> =
  | { readonly kind: 'result'; readonly result: IteratorResult<Value, unknown> }
  | { readonly kind: 'error'; readonly error: unknown };

/**
 * An iterator whose next value can be waited for with limited patience. A value that comes later is kept for the next
 * call. Unlike a `Promise.race` a wait, it leaves nothing behind on a promise that stays pending for days.
 */
export class PatientIterator<Value> {
  private asked = false;
  private settled: Settled<Value> | undefined;
  private wake: (() => void) | undefined;

  constructor(private readonly iterator: AsyncIterator<Value, unknown>) {}

  /** Undefined: nothing came in time. Throws what the iterator throws. One call at a time. */
  async next(patienceMillis: number): Promise<IteratorResult<Value, unknown> | undefined> {
    assert(this.wake === undefined, 'one wait at a time');
    this.ask();
    if (this.settled === undefined) await this.settledWithin(patienceMillis);
    if (this.settled === undefined) return undefined;
    const settled: Settled<Value> = this.settled;
    this.settled = undefined;
    this.asked = false;
    if (settled.kind === 'error') throw settled.error;
    return settled.result;
  }

  /**
   * Leaves the iterator, so that it lets go of what it holds: a generator that stands between two values is told by nothing else, no signal either. Resolves
   * once it has; one that is making its next value ends after that, so whoever waits has told it to end. What it throws at its end is nobody's.
   */
  async close(): Promise<void> {
    await this.iterator.return?.().catch(() => undefined);
  }

  private ask(): void {
    if (this.asked) return;
    this.asked = true;
    this.iterator.next().then(
      (result) => this.settle({ kind: 'result', result }),
      (error: unknown) => this.settle({ kind: 'error', error }),
    );
  }

  private settle(settled: Settled<Value>): void {
    this.settled = settled;
    this.wake?.();
  }

  private settledWithin(patienceMillis: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, patienceMillis);
      this.wake = done;
    });
  }
}
