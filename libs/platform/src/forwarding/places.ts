import { ProblemException } from '@holdfast/nestjs/http';

export interface PlacesLimits {
  /** How many may be taken at once. */
  readonly placesMax: number;
  /** How many may wait for one; more are refused at once. */
  readonly waitingMax: number;
  /** How long one of them may wait. */
  readonly waitMillisMax: number;
}

interface Waiting {
  readonly take: () => void;
  readonly timer: NodeJS.Timeout;
}

/** Places for so many requests at once, in the order in which they came. */
export class Places {
  private taken = 0;
  private readonly waiting = new Set<Waiting>();

  constructor(private readonly limits: PlacesLimits) {}

  /** Resolves with what gives the place back. Rejects with the signal's reason, and with `storage-unavailable`, outcome `not-applied`, for whom there is no place in time. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.taken < this.limits.placesMax) this.taken++;
    else await this.untilHandedOver(signal);
    return () => this.giveBack();
  }

  private untilHandedOver(signal: AbortSignal): Promise<void> {
    if (this.waiting.size >= this.limits.waitingMax) return Promise.reject(noPlace());
    return new Promise((resolve, reject) => {
      const leave = (reason: unknown): void => {
        this.forget(waiting);
        signal.removeEventListener('abort', onAbort);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason may be anything
        reject(reason);
      };
      const onAbort = (): void => leave(signal.reason);
      const waiting: Waiting = {
        take: () => {
          this.forget(waiting);
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
        timer: setTimeout(() => leave(noPlace()), this.limits.waitMillisMax),
      };
      this.waiting.add(waiting);
      signal.addEventListener('abort', onAbort);
    });
  }

  private forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.waiting.delete(waiting);
  }

  /** A place goes to whoever has waited longest, or becomes free. */
  private giveBack(): void {
    const [next] = this.waiting;
    if (next === undefined) this.taken--;
    else next.take();
  }
}

/** What waits here has not been sent to anybody. */
function noPlace(): ProblemException {
  return new ProblemException('storage-unavailable', {
    detail: 'too many requests wait for the service that answers this one',
    outcome: 'not-applied',
  });
}
