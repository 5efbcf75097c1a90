import { setTimeout } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Attempt, Journal, JournalEntry } from './journal.js';

/** An answer to a query; `position` is the moment that it shows. */
export interface QueryAnswer {
  readonly status: number;
  readonly text: string;
  readonly position: string | undefined;
}

/** Far longer than a busy machine takes to start a service. */
const SETTLE_MILLIS_MAX = 120_000;
const PAUSE_MILLIS = 20;
const ANSWER_MILLIS_MAX = 20_000;

/** Sends commands and notes what it is told. Final answers of one key must not differ: it throws when they do. */
export class JournalingClient {
  private readonly agent = new Agent({
    connections: 64,
    headersTimeout: ANSWER_MILLIS_MAX,
    bodyTimeout: ANSWER_MILLIS_MAX,
  });

  constructor(
    private readonly url: string,
    readonly journal: Journal,
  ) {}

  close(): Promise<void> {
    return this.agent.destroy();
  }

  /** Sends it once, alone. */
  async send(entry: JournalEntry): Promise<Attempt> {
    const path = entry.type === 'OpenAccount' ? 'accounts' : 'transfers';
    const answered = await this.post(path, entry.body, { 'idempotency-key': entry.key });
    if (typeof answered === 'string') return this.journal.missed([entry], answered);
    const { status, text, position } = answered;
    if (!isFinal(status, text)) return this.journal.missed([entry], outcomeOf(text));
    return this.journal.answered(entry, { status, body: text, position });
  }

  /** Sends another command under the key of an entry, which must be refused or come to nothing. */
  async misuse(entry: JournalEntry, otherBody: object): Promise<Attempt> {
    const path = entry.type === 'OpenAccount' ? 'accounts' : 'transfers';
    const answered = await this.post(path, otherBody, { 'idempotency-key': entry.key });
    if (typeof answered === 'string') return answered;
    const { status, text } = answered;
    if (!isFinal(status, text)) return outcomeOf(text);
    if (status !== 422 || !text.includes('/problems/idempotency-key-reused'))
      throw new Error(`the key ${entry.key} was taken for another command: ${status} ${text}`);
    return 'answered';
  }

  /** Sends them once, in one request. `answered` when each has its final answer. */
  async sendBulk(entries: readonly JournalEntry[]): Promise<Attempt> {
    const commands = entries.map(({ type, key, body }) => ({ type, idempotencyKey: key, body }));
    const answered = await this.post('bulk?atomic=false', { commands });
    if (typeof answered === 'string') return this.journal.missed(entries, answered);
    if (answered.status !== 200) {
      if (isFinal(answered.status, answered.text))
        throw new Error(`a bulk was refused: ${answered.status} ${answered.text}`);
      return this.journal.missed(entries, outcomeOf(answered.text));
    }
    const { results } = JSON.parse(answered.text) as {
      results: { status: number; headers: Record<string, string>; body: object }[];
    };
    let worst: Attempt = 'answered';
    results.forEach(({ status, headers, body }, index) => {
      const entry = entries[index];
      if (entry === undefined) throw new Error('a bulk has more answers than commands');
      const text = JSON.stringify(body);
      if (isFinal(status, text))
        this.journal.answered(entry, {
          status,
          body: text,
          position: headers['Holdfast-Position'],
        });
      else worst = this.journal.missed([entry], outcomeOf(text));
    });
    return worst;
  }

  /** Sends it until it is answered: what every client of a service that can crash does. */
  async settle(entries: readonly JournalEntry[]): Promise<void> {
    const givingUpAt = performance.now() + SETTLE_MILLIS_MAX;
    while ((await this.sendBulk(entries)) !== 'answered') {
      if (performance.now() > givingUpAt) throw new Error('the service does not answer any more');
      await setTimeout(PAUSE_MILLIS);
    }
  }

  /** A query, asked once; undefined when nobody answered or the service cannot answer now. */
  async query(path: string): Promise<QueryAnswer | undefined> {
    const answered = await this.once('GET', `${this.url}${path}`).catch(() => undefined);
    return answered === undefined || answered.status >= 500 ? undefined : answered;
  }

  /** A query, or a command that is idempotent by its name. Waits for a service that is starting. */
  async json<Body>(method: 'GET' | 'PUT', path: string, body?: object): Promise<Body> {
    const givingUpAt = performance.now() + SETTLE_MILLIS_MAX;
    for (;;) {
      const answered = await this.once(method, `${this.url}${path}`, body).catch(() => undefined);
      if (answered !== undefined && answered.status < 300) return JSON.parse(answered.text) as Body;
      if (answered !== undefined && answered.status < 500)
        throw new Error(`${method} ${path}: ${answered.status} ${answered.text}`);
      if (performance.now() > givingUpAt)
        throw new Error(`${method} ${path} is not answered: ${JSON.stringify(answered)}`);
      await setTimeout(PAUSE_MILLIS);
    }
  }

  private async post(
    path: string,
    body: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<
    { status: number; text: string; position: string | undefined } | 'not-applied' | 'unknown'
  > {
    try {
      const url = `${this.url}/v1/ledgers/${this.journal.ledger}/${path}`;
      return await this.once('POST', url, body, headers);
    } catch (error) {
      // Refused: nothing was sent. Anything else, and the request may have been read.
      const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      return refused ? 'not-applied' : 'unknown';
    }
  }

  private async once(
    method: 'GET' | 'PUT' | 'POST',
    url: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const answered = await request(url, {
      method,
      dispatcher: this.agent,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const position = answered.headers['holdfast-position'];
    return {
      status: answered.statusCode,
      // An answer alone ends with a newline, and within a bulk it does not.
      text: (await answered.body.text()).replace(/\n$/, ''),
      position: typeof position === 'string' ? position : undefined,
    };
  }
}

function isFinal(status: number, text: string): boolean {
  if (status === 429 || status >= 500) return false;
  return status !== 409 || !text.includes('/problems/idempotency-in-flight');
}

/** A service that cannot answer says whether it may have acted; without a word of it, it may have. */
function outcomeOf(text: string): 'not-applied' | 'unknown' {
  return text.includes('"outcome":"not-applied"') || text.includes('/problems/overloaded')
    ? 'not-applied'
    : 'unknown';
}
