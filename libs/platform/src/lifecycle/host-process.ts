type StopSignal = 'SIGTERM' | 'SIGINT';

/** What a service needs of the process it runs in: `process` itself, or another one in tests. */
export interface HostProcess {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  on(
    event: 'uncaughtException' | 'unhandledRejection',
    listener: (error: unknown) => void,
  ): unknown;
  exit(code: number): void;
  readonly stderr: { write(text: string): unknown };
}
