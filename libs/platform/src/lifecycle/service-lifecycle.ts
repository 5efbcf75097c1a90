/**
 * The one state that a service's parts share: starting, running, stopping or failed. A part that finds that the process must not
 * go on calls `fatal`; what then happens is decided by `runService`, so that parts and their tests never end a process.
 */
export class ServiceLifecycle {
  private failure: unknown;
  private readonly fatalHandlers: ((error: unknown) => void)[] = [];
  private phase: 'running' | 'stopping' | 'failed' = 'running';

  /** Why requests must not be sent here any more, or undefined. Readiness is red while it is set. */
  get unavailableBecause(): string | undefined {
    if (this.phase === 'failed') return 'the service failed and is about to restart';
    return this.phase === 'stopping' ? 'the service is stopping' : undefined;
  }

  get failed(): boolean {
    return this.phase === 'failed';
  }

  /** The error given to the first call of `fatal`. */
  get fatalError(): unknown {
    return this.failure;
  }

  /** Readiness goes red; nothing else happens. */
  beginStop(): void {
    if (this.phase === 'running') this.phase = 'stopping';
  }

  /** The process must not go on. Only the first call counts: later failures are its consequences. */
  fatal(error: unknown): void {
    if (this.phase === 'failed') return;
    this.phase = 'failed';
    this.failure = error;
    for (const handler of this.fatalHandlers) handler(error);
  }

  /** Called at once if the failure has already happened. */
  onFatal(handler: (error: unknown) => void): void {
    if (this.phase === 'failed') handler(this.failure);
    else this.fatalHandlers.push(handler);
  }
}
