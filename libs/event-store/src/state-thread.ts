import { Worker } from 'node:worker_threads';
import { defined } from '@holdfast/kernel';
import { logClosed } from './event-store.errors.js';
import type { SnapshotProgress } from './snapshot-work.js';
import type {
  StateAnswer,
  StateJob,
  StateOrder,
  StateThreadData,
  StateWord,
} from './state.worker.js';

interface Asker {
  readonly resolve: (answer: StateAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (progress: SnapshotProgress) => void;
}

export interface StateJobOptions {
  /** Of a job that reads for long: it ends at its next slice. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SnapshotProgress) => void;
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

/** One thread on the database of the state. Jobs that read for long rest between slices, and others run meanwhile: none waits for the end of a scan. */
export class StateThread {
  private worker: Worker | undefined;
  private ended: Promise<void> = Promise.resolve();
  private readonly askers = new Map<number, Asker>();
  private lastId = 0;
  private failure: Error | undefined;

  /** Nothing runs before the first job. */
  constructor(private readonly directory: string) {}

  /** Rejects with `StateJobFailed`, or with what ended the thread. Buffers in `transfer` are the thread's from now on. */
  async run(
    job: StateJob,
    transfer: readonly ArrayBuffer[] = [],
    { signal, onProgress = () => undefined }: StateJobOptions = {},
  ): Promise<StateAnswer> {
    if (this.failure !== undefined) throw this.failure;
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    const order = (told: StateOrder, moved: readonly ArrayBuffer[] = []): void =>
      worker.postMessage(told, [...moved]);
    const stop = (): void => order({ stop: id });
    try {
      return await new Promise<StateAnswer>((resolve, reject) => {
        this.askers.set(id, { resolve, reject, onProgress });
        worker.ref();
        order({ id, job }, transfer);
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop);
      });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Closes the thread's hold on the database, then ends it. */
  async close(): Promise<void> {
    const { worker } = this;
    if (worker !== undefined && this.failure === undefined)
      await this.run({ kind: 'close' }).catch(() => undefined);
    this.failure ??= logClosed();
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
    worker.on('message', (word: StateWord) => {
      const { id } = word;
      const asker = defined(this.askers.get(id), 'the asker');
      if ('progress' in word) {
        asker.onProgress(word.progress);
        return;
      }
      const { answer } = word;
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
