import { Client } from '@grpc/grpc-js';
import { CHANNEL_OPTIONS, type GrpcFeedTls, channelCredentials } from './grpc-channel.js';
import type { ConsumerReport } from '../feed/feed-consumers.js';
import { reportMethod } from './feed-protocol.js';
import { failureOf } from './feed-status.js';
import { tokenMetadata } from './feed-token.js';

export interface GrpcReportsOptions {
  /** `host:port` of the command service's feed. */
  readonly url: string;
  /** Plain text when left out. */
  readonly tls?: GrpcFeedTls | undefined;
  /** What the server wants to hear from whom it serves. */
  readonly token?: string | undefined;
  /** Told of the first report that fails after one that did not, and of the first that arrives again. */
  readonly onReach?: (failure: Error | undefined) => void;
}

const ANSWER_MILLIS_MAX = 5_000;

/** Carries reports to the owner of the log. One is under way at a time; what comes meanwhile replaces what waits. */
export class GrpcReports {
  private readonly client: Client;
  private readonly method = reportMethod();
  private readonly waiting = new Map<string, ConsumerReport>();
  private underWay = false;
  private reached = true;
  private closed = false;

  constructor(private readonly options: GrpcReportsOptions) {
    this.client = new Client(options.url, channelCredentials(options.tls), CHANNEL_OPTIONS);
  }

  /** A `ReportTarget`. */
  readonly report = (report: ConsumerReport): void => {
    if (this.closed) return;
    this.waiting.set(`${report.consumer} ${report.reporter}`, report);
    this.sendNext();
  };

  close(): void {
    this.closed = true;
    this.client.close();
  }

  private sendNext(): void {
    const [next] = this.waiting;
    if (this.underWay || this.closed || next === undefined) return;
    const [key, report] = next;
    this.waiting.delete(key);
    this.underWay = true;
    this.client.makeUnaryRequest(
      this.method.path,
      this.method.requestSerialize,
      this.method.responseDeserialize,
      report,
      tokenMetadata(this.options.token),
      { deadline: Date.now() + ANSWER_MILLIS_MAX },
      (error) => {
        this.underWay = false;
        this.tell(error === null ? undefined : failureOf(this.options.url, error));
        this.sendNext();
      },
    );
  }

  private tell(failure: Error | undefined): void {
    if (this.closed || this.reached === (failure === undefined)) return;
    this.reached = failure === undefined;
    this.options.onReach?.(failure);
  }
}
