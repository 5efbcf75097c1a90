/** What group commit does for itself when time has passed. */
export interface CommitTimes {
  readonly syncIntervalMillis: number;
  readonly idleMillis: number;
}

export class CommitTimers {
  private interval: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly times: CommitTimes,
    private readonly syncIsDue: () => void,
    private readonly isIdle: () => void,
  ) {}

  /** From the first write that is not synced: under load as when idle, no write waits longer than the interval for its sync. */
  written(): void {
    this.interval ??= setTimeout(() => {
      this.interval = undefined;
      this.syncIsDue();
    }, this.times.syncIntervalMillis);
  }

  synced(): void {
    clearTimeout(this.interval);
    this.interval = undefined;
  }

  /** Begins again with each call. */
  awaitIdleness(): void {
    if (this.idle !== undefined) {
      this.idle.refresh();
      return;
    }
    this.idle = setTimeout(this.isIdle, this.times.idleMillis);
    this.idle.unref();
  }

  stopAwaitingIdleness(): void {
    clearTimeout(this.idle);
  }

  stop(): void {
    clearTimeout(this.interval);
    clearTimeout(this.idle);
  }
}
