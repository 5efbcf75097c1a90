import { Worker } from 'node:worker_threads';
import { defined } from '@holdfast/kernel';
import type { StateAnswer, StateJob, StateThreadData } from './state.worker.js';

/** Asks a running scan or snapshot to end early; the same word as in `state.worker.ts`, which must not be imported here. */
const STOP_SCAN = 'stop-scan';

interface Asker {
  readonly resolve: (answer: StateAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** What a job in the thread failed with; `code` is the one of LMDB or of the system. */
export class StateJobFailed extends Error {
  override readonly name = 'StateJobFailed';

  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

/** One thread on the database of the state, one job after another. */
export class StateThread {
  private worker: Worker | undefined;
  private ended: Promise<void> = Promise.resolve();
  private readonly askers = new Map<number, Asker>();
  private lastId = 0;
  private failure: Error | undefined;

  /** Nothing runs before the first job. */
  constructor(private readonly directory: string) {}

  /** Rejects with `StateJobFailed`, or with what ended the thread. Buffers in `transfer` are the thread's from now on. */
  run(job: StateJob, transfer: readonly ArrayBuffer[] = []): Promise<StateAnswer> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.askers.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, job }, [...transfer]);
    });
  }

  /** A running scan or snapshot ends at its next slice. */
  stopScan(): void {
    if (this.failure === undefined) this.worker?.postMessage(STOP_SCAN);
  }

  /** Closes the thread's hold on the database, then ends it. */
  async close(): Promise<void> {
    const { worker } = this;
    if (worker !== undefined && this.failure === undefined)
      await this.run({ kind: 'close' }).catch(() => undefined);
    this.failure ??= new Error("the state's thread is closed");
    await worker?.terminate();
    await this.ended;
  }

  private start(): Worker {
    // The file beside this one, compiled or not.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./state.worker.${extension}`, import.meta.url), {
      name: 'state',
      workerData: { directory: this.directory } satisfies StateThreadData,
    });
    worker.on('message', ({ id, answer }: { id: number; answer: StateAnswer }) => {
      const asker = defined(this.askers.get(id), 'the asker');
      this.askers.delete(id);
      if (this.askers.size === 0) worker.unref();
      if ('error' in answer) {
        const { message, code } = answer.error;
        asker.reject(new StateJobFailed(message, code));
      } else asker.resolve(answer);
    });
    worker.on('error', (error) => this.fail(error));
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.fail(new Error("the state's thread ended"));
        resolve();
      });
    });
    worker.unref();
    return worker;
  }

  private fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    for (const asker of this.askers.values()) asker.reject(this.failure);
    this.askers.clear();
  }
}
