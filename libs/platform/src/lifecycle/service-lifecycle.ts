/**
 * The one state that a service's parts share: running, stopping or failed. A part that finds that the process must not go on calls
 * `fatal`; what then happens is decided by `runService`, so that parts and their tests never end a process.
 */
export class ServiceLifecycle {
  private phase: 'running' | 'stopping' | 'failed' = 'running';
  private failure: unknown;
  private readonly stop = new AbortController();
  private readonly fatalHandlers: ((error: unknown) => void)[] = [];

  /** Fires once requests should no longer wait or stream: the service is stopping or has failed. */
  get stopping(): AbortSignal {
    return this.stop.signal;
  }

  /** Why requests should be sent elsewhere, or undefined. Readiness is red while it is set. */
  get unavailableBecause(): string | undefined {
    if (this.phase === 'failed') return 'the service has failed and is about to end';
    return this.phase === 'stopping' ? 'the service is stopping' : undefined;
  }

  /** Readiness goes red and `stopping` fires. */
  beginStop(): void {
    if (this.phase === 'running') this.phase = 'stopping';
    this.stop.abort();
  }

  /** The process must not go on. Only the first call counts: later failures are its consequences. */
  fatal(error: unknown): void {
    if (this.phase === 'failed') return;
    this.phase = 'failed';
    this.failure = error;
    this.stop.abort();
    for (const handler of this.fatalHandlers) handler(error);
  }

  /** Called at once if the failure has already happened. */
  onFatal(handler: (error: unknown) => void): void {
    if (this.phase === 'failed') handler(this.failure);
    else this.fatalHandlers.push(handler);
  }
}
