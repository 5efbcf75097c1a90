/** What a thread is, as far as its end goes. */
export interface EndingThread {
  once(event: 'exit', listener: () => void): unknown;
  postMessage(message: unknown): void;
  terminate(): Promise<number>;
}
type EndingProcess = Pick<NodeJS.Process, 'once' | 'off' | 'kill' | 'pid'>;

/** Only a call of the operating system that does not return holds on for longer. */
const TERMINATE_MILLIS_MAX = 1_000;

/**
 * The end of a thread, and of the process that has it. Node waits for its threads before a process ends, and for one that hangs in a call of the operating system it waits
 * for ever: a dead disk would keep a process that has failed or was told to stop, and its supervisor from starting another. So a process that ends while a thread hangs
 * kills itself. What is durable does not depend on how a process ends.
 */
export class ThreadEnd {
  private readonly exited: Promise<void>;
  private leftBehind = false;

  constructor(
    private readonly thread: EndingThread,
    /** Asked as the process ends; a thread that `stop` could not end hangs in any case. */
    isHung: () => boolean,
    host: EndingProcess = process,
  ) {
    const end = () => {
      if (this.leftBehind || isHung()) host.kill(host.pid, 'SIGKILL');
    };
    host.once('exit', end);
    this.exited = new Promise((resolve) => {
      thread.once('exit', () => {
        host.off('exit', end);
        resolve();
      });
    });
  }

  /** Tells the thread to stop. One that does not in time is ended where it stands, like one that is killed. Resolves in any case. */
  async stop(
    told: unknown,
    stopMillisMax: number,
    terminateMillisMax = TERMINATE_MILLIS_MAX,
  ): Promise<void> {
    this.thread.postMessage(told);
    if (await this.exitsWithin(stopMillisMax)) return;
    void this.thread.terminate();
    this.leftBehind = !(await this.exitsWithin(terminateMillisMax));
  }

  private exitsWithin(millis: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), millis);
      void this.exited.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
