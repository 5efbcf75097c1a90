import type { Worker } from 'node:worker_threads';
import { defined, errorCode, errorMessage, leaveThread, takeThread } from '@holdfast/kernel';
import { logClosed } from '../../event-store.errors.js';
import { THREAD_ENDED, isOfSystem } from '../model/state-fault.js';
import type { SnapshotProgress } from '../snapshot/snapshot-work.js';
import type { StateAnswer, StateJob, StateOrder, StateWord } from './state.worker.js';

/** The file beside this one, compiled or not. */
const SCRIPT = new URL(
  `./state.worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

interface Asker {
  readonly resolve: (answer: StateAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (progress: SnapshotProgress) => void;
}

export interface StateJobOptions {
  /** Of a job that reads for long: it ends at its next slice. */
  readonly signal?: AbortSignal;
  /** Of such a job too: it rests no more. */
  readonly hurry?: AbortSignal;
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
  private closing: Promise<void> | undefined;
  /** What ends it from now on may have ended it within its work. */
  private hasStarted = false;

  /** Nothing runs before the first job. */
  constructor(private readonly directory: string) {}

  /**
   * Rejects with `StateJobFailed`, and with `EVENT_LOG_CLOSED`. A thread that could not start, for want of descriptors or memory, is started again by the next job; one
   * that ended later has the code `STATE_THREAD_ENDED` for good. Buffers in `transfer` are the thread's from now on.
   */
  async run(
    job: StateJob,
    transfer: readonly ArrayBuffer[] = [],
    { signal, hurry, onProgress = () => undefined }: StateJobOptions = {},
  ): Promise<StateAnswer> {
    if (this.failure !== undefined) throw this.failure;
    const worker = (this.worker ??= this.started());
    const id = ++this.lastId;
    const order = (told: StateOrder, moved: readonly ArrayBuffer[] = []): void =>
      worker.postMessage(told, [...moved]);
    const stop = (): void => order({ stop: id });
    const goOn = (): void => order({ hurry: id });
    try {
      return await new Promise<StateAnswer>((resolve, reject) => {
        this.askers.set(id, { resolve, reject, onProgress });
        worker.ref();
        order({ id, job }, transfer);
        if (signal?.aborted === true) stop();
        else signal?.addEventListener('abort', stop);
        hurry?.addEventListener('abort', goOn);
      });
    } finally {
      signal?.removeEventListener('abort', stop);
      hurry?.removeEventListener('abort', goOn);
    }
  }

  /** Closes the thread's hold on the database, and leaves the thread to others; one that failed, or has jobs yet, ends. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    const { worker } = this;
    const closed =
      worker !== undefined && this.failure === undefined
        ? await this.run({ kind: 'close' }).catch(() => undefined)
        : undefined;
    const isSound = closed !== undefined && 'closed' in closed && this.failure === undefined;
    this.failure ??= logClosed();
    // Never started, or could not start.
    if (worker === undefined || this.worker !== worker) return;
    if (isSound && this.askers.size === 0) {
      this.worker = undefined;
      await leaveThread(SCRIPT, worker);
      return;
    }
    await worker.terminate();
    await this.ended;
  }

  /** Throws `StateJobFailed` when the system has no room for a thread. */
  private started(): Worker {
    try {
      return this.start();
    } catch (error) {
      throw new StateJobFailed(errorMessage(error), errorCode(error));
    }
  }

  private start(): Worker {
    const worker = takeThread(SCRIPT, { name: 'state' });
    worker.on('message', (word: StateWord) => {
      if ('ready' in word) {
        this.hasStarted = true;
        return;
      }
      const { id } = word;
      const asker = defined(this.askers.get(id), 'the asker');
      if ('progress' in word) {
        asker.onProgress(word.progress);
        return;
      }
      const { answer } = word;
      this.askers.delete(id);
      // What is being ended keeps the process until it has ended: whoever closes waits for that.
      if (this.askers.size === 0 && this.closing === undefined) worker.unref();
      if ('error' in answer) {
        const { message, code } = answer.error;
        asker.reject(new StateJobFailed(message, code));
      } else asker.resolve(answer);
    });
    worker.on('error', (error) => this.fail(worker, error));
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.fail(worker, undefined);
        resolve();
      });
    });
    worker.unref();
    worker.postMessage({ open: this.directory } satisfies StateOrder);
    return worker;
  }

  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    const reason = error === undefined ? '' : `: ${errorMessage(error)}`;
    const code = errorCode(error);
    const ofStart = isOfSystem(code) ? code : 'ERR_WORKER_START';
    const failure = new StateJobFailed(
      `the state's thread ended${reason}`,
      this.hasStarted ? THREAD_ENDED : ofStart,
    );
    // One that did not come to its first job has done nothing to the database, and the next job starts another.
    if (this.hasStarted) this.failure ??= failure;
    else this.worker = undefined;
    for (const asker of this.askers.values()) asker.reject(failure);
    this.askers.clear();
  }
}
