import { Worker, type WorkerOptions } from 'node:worker_threads';

/** How long a thread without work waits for more of it. */
const IDLE_MILLIS = 1_000;

/** At most one a script. */
const spares = new Map<string, Spare>();

/** A thread that nobody listens to, until somebody takes it or its time is over. It keeps no process alive. */
class Spare {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly script: string,
    private readonly worker: Worker,
  ) {
    // By name: `Worker` listens to itself too.
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
    worker.on('error', this.forget).on('exit', this.forget).unref();
    this.timer = setTimeout(() => {
      this.forget();
      void worker.terminate();
    }, IDLE_MILLIS).unref();
    spares.set(script, this);
  }

  take(): Worker {
    this.forget();
    return this.worker.off('error', this.forget).off('exit', this.forget);
  }

  private readonly forget = (): void => {
    clearTimeout(this.timer);
    if (spares.get(this.script) === this) spares.delete(this.script);
  };
}

/**
 * A thread that runs `script`: one that was left a moment ago, or a new one. Most of a thread's start is Node's own: 40 to 60 ms of processor time before
 * the first line of a script, and whoever opens and closes a log, as verifying and restoring do, wants one thread after the other.
 */
export function takeThread(script: URL, options?: WorkerOptions): Worker {
  return spares.get(script.href)?.take() ?? new Worker(script, options);
}

/** Leaves a thread that has no work and holds nothing, for the next who wants one of `script`; without one within a second, or with another waiting, it ends. */
export async function leaveThread(script: URL, worker: Worker): Promise<void> {
  if (spares.has(script.href)) await worker.terminate();
  else new Spare(script.href, worker);
}
