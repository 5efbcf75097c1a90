import { CodedError } from '@holdfast/kernel';
import type { Asked, QueryCall } from './ledger-queries.js';

/** More queries than this waiting are refused; each waits at most for those before it, whose work is bounded. */
export const QUERIES_WAITING_MAX = 256;

export interface WaitingQuery {
  readonly call: QueryCall;
  readonly signal: AbortSignal;
  readonly resolve: (asked: Asked) => void;
  readonly reject: (error: unknown) => void;
  /** Nobody works for a client that has gone, and it keeps no place. */
  readonly leave: () => void;
}

/** Queries that nobody answers yet. */
export class QueryQueue {
  private readonly waiting: WaitingQuery[] = [];
  private closing = false;

  /** `onWaiting` is called when one more waits. */
  constructor(private readonly onWaiting: () => void) {}

  get size(): number {
    return this.waiting.length;
  }

  get isClosing(): boolean {
    return this.closing;
  }

  /** As `QueryAsker.ask`. */
  async ask(call: QueryCall, signal: AbortSignal): Promise<Asked> {
    signal.throwIfAborted();
    if (this.closing) throw ended('the service is stopping');
    const isLook = call.name === 'look';
    if (!isLook && this.waiting.length >= QUERIES_WAITING_MAX)
      throw new CodedError('QUERIES_FULL', `${QUERIES_WAITING_MAX} queries are waiting already`);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(query), 1);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
        reject(signal.reason);
      };
      const query: WaitingQuery = { call, signal, resolve, reject, leave };
      signal.addEventListener('abort', leave);
      if (isLook) this.waiting.unshift(query);
      else this.waiting.push(query);
      this.onWaiting();
    });
  }

  /** The first of those that wait, which waits no more. */
  next(): WaitingQuery | undefined {
    const query = this.waiting.shift();
    query?.signal.removeEventListener('abort', query.leave);
    return query;
  }

  /** Those that wait are refused, and who comes later. */
  close(): void {
    this.closing = true;
    for (let query = this.next(); query !== undefined; query = this.next())
      query.reject(ended('the service is stopping'));
  }
}

export function ended(reason: string, cause?: unknown): CodedError {
  return new CodedError('QUERY_THREAD_ENDED', reason, {}, { cause });
}
