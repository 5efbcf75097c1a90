import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { defined } from '@holdfast/kernel';

/** A message of a live stream. */
export interface LiveMessage {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** A client of a live stream of events, which reads only while it is told to. */
export class LiveEvents {
  readonly messages: LiveMessage[] = [];
  /** As the stream came. */
  text = '';
  /** True once the stream has ended as it should. */
  isWhole = false;
  readonly closed: Promise<void>;
  private rest = '';
  private woken: () => void = () => undefined;

  private constructor(
    private readonly sent: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    response.on('end', () => (this.isWhole = response.complete));
    response.on('error', () => undefined);
    this.closed = new Promise((resolve) => response.once('close', resolve));
    response.once('close', () => this.woken());
  }

  /** Resolves with the answer's header fields there. */
  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LiveEvents> {
    const accept = 'text/event-stream';
    const sent = request(url, { headers: { accept, ...headers }, agent: false });
    sent.on('error', () => undefined);
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return new LiveEvents(sent, response);
  }

  get status(): number {
    return defined(this.response.statusCode, 'the status of an answer');
  }

  /** Those with data. */
  get events(): LiveMessage[] {
    return this.messages.filter(({ data }) => data !== undefined);
  }

  /** What a client that comes back says it has seen. */
  get lastEventId(): string | undefined {
    return this.messages.findLast(({ id }) => id !== undefined)?.id;
  }

  /** Resolves once there are so many events, or the stream is over. */
  async until(events: number): Promise<LiveMessage[]> {
    while (this.events.length < events && !this.response.closed)
      await new Promise<void>((resolve) => (this.woken = resolve));
    return this.events;
  }

  abort(): void {
    this.sent.destroy();
  }

  private take(text: string): void {
    this.text += text;
    const parts = (this.rest + text).split('\n\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) this.messages.push(messageOf(part));
    this.woken();
  }
}

function messageOf(text: string): LiveMessage {
  const fields = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf(': ');
      return [line.slice(0, at), line.slice(at + 2)] as const;
    }),
  );
  const data = fields.get('data');
  return {
    id: fields.get('id'),
    type: fields.get('event'),
    data: data === undefined ? undefined : (JSON.parse(data) as Record<string, unknown>),
  };
}
