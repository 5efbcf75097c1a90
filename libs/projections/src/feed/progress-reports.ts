import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { FeedCursor } from '../event-feed.js';
import { type ConsumerReport, REPORT_MILLIS } from './feed-consumers.js';

/** Where reports go: to the feed's server, or to another thread. Must not throw; a lost report is made good by the next one. */
export type ReportTarget = (report: ConsumerReport) => void;

let begun = 0;

/** Tells the owner of a log, about once a second, how far one subscription has come that reads the log's files itself. */
export class ProgressReports {
  private readonly reporter = `${hostname()} process ${process.pid} thread ${threadId} reading ${++begun}`;
  private readonly timer: NodeJS.Timeout;
  private applied: FeedCursor;
  private durable: FeedCursor;

  constructor(
    private readonly consumer: string,
    from: FeedCursor,
    private readonly target: ReportTarget,
  ) {
    this.applied = this.durable = from;
    this.tell();
    this.timer = setInterval(() => this.tell(), REPORT_MILLIS).unref();
  }

  moved(cursor: FeedCursor, durable: boolean): void {
    this.applied = cursor;
    if (durable) this.durable = cursor;
  }

  end(): void {
    clearInterval(this.timer);
    this.tell(true);
  }

  private tell(ended = false): void {
    const { consumer, reporter, applied, durable } = this;
    this.target({ consumer, reporter, applied, durable, ended });
  }
}
