import type { Server, ServerResponse } from 'node:http';

/** What is still unanswered then is cut off: a client that never sends the rest of its request, or that never ends. */
const GRACE_MILLIS = 5_000;
const LOOK_MILLIS = 50;

/**
 * Lets a server close. Node waits for every connection, and calls one idle only after an answer: a connection on which nothing was sent yet, as browsers and probes open them, or half a request,
 * would hold a stop up for minutes. So requests are counted from the beginning, and as soon as all of them are answered, the other connections are closed.
 */
export class DrainingServer {
  private unanswered = 0;
  private looking: NodeJS.Timeout | undefined;

  /** Counts from now on. */
  constructor(private readonly server: Server) {
    server.on('request', (_request, response: ServerResponse) => {
      this.unanswered += 1;
      response.once('close', () => (this.unanswered -= 1));
    });
  }

  /** From now on, until `end`. */
  drain(graceMillis = GRACE_MILLIS): void {
    const endsAtMillis = performance.now() + graceMillis;
    const look = (): void => {
      if (this.unanswered === 0 || performance.now() >= endsAtMillis)
        this.server.closeAllConnections();
      else this.server.closeIdleConnections();
    };
    this.looking ??= setInterval(look, LOOK_MILLIS).unref();
  }

  end(): void {
    clearInterval(this.looking);
  }
}
