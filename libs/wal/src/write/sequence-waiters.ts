import type { WalError } from '../wal.errors.js';
import type { Sequence } from '../wal.types.js';

/** Callers that wait until the durable sequence is beyond theirs. */
export class SequenceWaiters {
  private waiting: { readonly after: Sequence; readonly wake: () => void }[] = [];

  constructor(
    private readonly durableSequence: () => Sequence,
    /** Why nothing more becomes durable: the poison, or that the log is closed. */
    private readonly ended: () => WalError | undefined,
  ) {}

  /** Resolves once the durable sequence is beyond, or the signal fires. Rejects when the log ends before. */
  beyond(after: Sequence, signal?: AbortSignal): Promise<void> {
    if (this.durableSequence() > after || signal?.aborted === true) return Promise.resolve();
    const ended = this.ended();
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      const waiter = {
        after,
        wake: (): void => {
          signal?.removeEventListener('abort', abandon);
          const reason = this.ended();
          if (reason !== undefined && this.durableSequence() <= after) reject(reason);
          else resolve();
        },
      };
      const abandon = (): void => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        resolve();
      };
      signal?.addEventListener('abort', abandon, { once: true });
      this.waiting.push(waiter);
    });
  }

  wakeUpTo(sequence: Sequence): void {
    if (this.waiting.length === 0) return;
    const reached = this.waiting.filter((waiter) => waiter.after < sequence);
    if (reached.length === 0) return;
    this.waiting = this.waiting.filter((waiter) => waiter.after >= sequence);
    for (const waiter of reached) waiter.wake();
  }

  wakeAll(): void {
    for (const waiter of this.waiting.splice(0)) waiter.wake();
  }
}
