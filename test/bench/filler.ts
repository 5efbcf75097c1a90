import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Turns } from './turns.js';

export type FillerJob =
  | { readonly kind: 'open' }
  | { readonly kind: 'accounts'; readonly from: number; readonly to: number }
  | { readonly kind: 'transfers'; readonly accounts: number; readonly count: number }
  | { readonly kind: 'checkpoint' }
  | {
      readonly kind: 'turns';
      readonly accounts: number;
      /** What the checkpoint will have to write. */
      readonly changedEntries: number;
      /** Measured while a checkpoint is made, or for a second without one. */
      readonly isCheckpointing: boolean;
      /** Small commits go on meanwhile. */
      readonly isLoaded: boolean;
    };

/** In bytes. */
export interface Memory {
  /** The process's own, as the job has left it: also what V8 keeps for what comes next. */
  readonly held: number;
  /** The process's own, once V8 has collected garbage and given back what it does not need. */
  readonly own: number;
  /** Pages of files that are in memory for it. */
  readonly mapped: number;
}

export interface FillerReport {
  readonly millis: number;
  readonly position: number;
  /** Of the state, at its last checkpoint. */
  readonly entries: number;
  /** After a checkpoint. */
  readonly memory?: Memory;
  /** Of the event loop, if they were asked for. */
  readonly turns?: Turns;
}

/** A process that fills a ledger, one job after another. */
export class Filler {
  private readonly process: ChildProcess;

  /** With checkpoints as the service makes them, or larger ones, which fill faster. */
  constructor(dataDirectory: string, checkpointEntries?: number) {
    this.process = fork(
      fileURLToPath(new URL('./ledger-filler.js', import.meta.url)),
      [dataDirectory, ...(checkpointEntries === undefined ? [] : [String(checkpointEntries)])],
      { execArgv: ['--expose-gc'] },
    );
  }

  async run(job: FillerJob): Promise<FillerReport> {
    const ended = new AbortController();
    const exit = once(this.process, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`the filler ended within ${JSON.stringify(job)}`);
    });
    const answer = once(this.process, 'message', { signal: ended.signal });
    this.process.send(job);
    try {
      const [report] = (await Promise.race([answer, exit])) as [FillerReport];
      return report;
    } finally {
      ended.abort();
      exit.catch(() => undefined);
    }
  }

  /** SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}
