import { setTimeout } from 'node:timers/promises';

export interface AdminReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Floor {
  readonly name: string;
  readonly position: number;
  readonly bytesPinned: number;
  readonly connected: boolean;
}

export type Job = Readonly<Record<string, unknown>> & { readonly state: string };

const POLL_MILLIS = 20;
const ENDED = new Set(['succeeded', 'failed', 'cancelled']);

/** The operator's API of a service, as any HTTP client sees it. */
export class AdminApi {
  constructor(
    readonly url: string,
    private readonly token?: string,
  ) {}

  get(path: string): Promise<AdminReply> {
    return this.send('GET', path);
  }

  post(path: string, body?: object): Promise<AdminReply> {
    return this.send('POST', path, body);
  }

  async floors(): Promise<ReadonlyMap<string, Floor>> {
    const { body } = await this.get('/admin/floors');
    return new Map((body['items'] as readonly Floor[]).map((floor) => [floor.name, floor]));
  }

  /** Starts a job and follows it to its end. Throws when it cannot be started. */
  async work(path: string, body?: object): Promise<Job> {
    const started = await this.post(path, body);
    if (started.status !== 202)
      throw new Error(`${path}: ${started.status} ${JSON.stringify(started.body)}`);
    return this.ended(started);
  }

  async ended(started: AdminReply): Promise<Job> {
    const path = started.headers.get('location') ?? '';
    for (;;) {
      const { body } = await this.get(path);
      if (typeof body['state'] !== 'string' || ENDED.has(body['state'])) return body as Job;
      await setTimeout(POLL_MILLIS);
    }
  }

  private async send(method: string, path: string, body?: object): Promise<AdminReply> {
    const answered = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answered.text();
    const parsed = (text === '' ? {} : JSON.parse(text)) as AdminReply['body'];
    return { status: answered.status, headers: answered.headers, body: parsed };
  }
}
