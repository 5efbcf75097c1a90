import { setTimeout } from 'node:timers/promises';
import { AdminApi, type AdminReply, type Job } from '../support/admin-api.js';
import type { SeededRandom } from '../support/seeded-random.js';
import { Doubt } from './doubt.js';
import type { Tally } from './tally.js';

/** The rest after a snapshot: at least this, and longer the longer it took, for it grows with the state. */
const SNAPSHOT_REST_MILLIS = 4_000;
const SNAPSHOT_REST_SHARE = 5;
const BUSY = new Set([429, 503]);

export type WorkPath =
  | '/admin/archive'
  | '/admin/retention/apply'
  | '/admin/snapshots'
  | '/admin/checkpoints'
  | '/admin/compactions'
  | '/admin/backups';

/** What an operator, or a schedule of his, asks of the command service: it may be dead, or die over it. */
export class AdminWork {
  private readonly api: AdminApi;
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    url: string,
    /** Where backups go, over and over the same one. */
    private readonly backupDirectory: string,
    private readonly tally: Tally,
    private readonly onDoubt: (error: unknown) => void,
  ) {
    this.api = new AdminApi(url);
  }

  /** Snapshots now and then, until `stop`. The policy of retention is applied by the service itself. */
  start(): void {
    this.running = this.keepSnapshotting().catch(this.onDoubt);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Some jobs at once, in any order, and waits for none of them. */
  async begin(paths: readonly WorkPath[], random: SeededRandom): Promise<void> {
    const order = [...paths].sort(() => random.next() - 0.5);
    for (const path of order) await this.ask(path);
  }

  /** Brings the backup up to date. Throws `Doubt` when the job fails. */
  async backUp(): Promise<Job> {
    const started = await this.ask('/admin/backups');
    const job = started && (await this.api.ended(started));
    if (job?.state !== 'succeeded') throw new Doubt(`a backup came to ${JSON.stringify(job)}`);
    return job;
  }

  /** Whether the process that runs now has read all of its state, and found it as it was written. */
  async isStateVerified(): Promise<boolean> {
    const answer = await this.api.get('/admin/state').catch(() => undefined);
    const { state } = (answer?.body['verification'] ?? {}) as { state?: string };
    return state === 'good';
  }

  /** Undefined when nobody took it: the service does not run, or has enough to do. Throws `Doubt` for any other answer. */
  private async ask(path: WorkPath): Promise<AdminReply | undefined> {
    const body = this.bodyOf(path);
    const started = await this.api.post(path, body).catch(() => undefined);
    if (started === undefined || BUSY.has(started.status)) return undefined;
    if (started.status !== 202)
      throw new Doubt(`${path}: ${started.status} ${JSON.stringify(started.body)}`);
    this.tally.count(this.tally.work, path.slice('/admin/'.length));
    return started;
  }

  private bodyOf(path: WorkPath): object | undefined {
    switch (path) {
      case '/admin/backups':
        return { directory: this.backupDirectory };
      case '/admin/compactions':
        return { dryRun: false };
      default:
        return undefined;
    }
  }

  private async keepSnapshotting(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const started = await this.ask('/admin/snapshots');
      // Whatever becomes of it: the service may die meanwhile, and then nobody knows the job any more.
      if (started !== undefined) await this.api.ended(started).catch(() => undefined);
      const millis = SNAPSHOT_REST_SHARE * (performance.now() - startedAt);
      await setTimeout(Math.max(SNAPSHOT_REST_MILLIS, millis), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }
}
