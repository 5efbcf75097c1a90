import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';

interface Item {
  readonly type: string;
  readonly idempotencyKey: string;
  readonly body: {
    /** Of an account. */
    readonly id?: string;
    readonly reference?: string;
    readonly legs?: readonly { readonly amount: string }[];
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

interface Recorded {
  readonly key: string;
  readonly hash: string;
  readonly answer: Answer;
  readonly body: Item['body'];
}

/** What no account of it has: a transfer of so much is refused, and the refusal recorded. */
const AMOUNT_MAX = 10_000;

/** A ledger as an import meets it over HTTP: what it has recorded, in order, by key. */
export class LedgerDouble {
  /** What was recorded; the place in it is the position. */
  recorded: Recorded[] = [];
  /** After so many bulks it refuses them whole, which ends the import. */
  bulksMax = Infinity;
  /** Called before a bulk is decided. Returns true when the service is away, and the bulk is to come again. */
  onBulk: (keys: readonly string[]) => unknown = () => undefined;
  private gone = new Set<string>();
  private restores = 0;
  private readonly sent = new Map<string, Item>();
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request).then(({ status, body }) =>
      response.writeHead(status, { connection: 'close' }).end(JSON.stringify(body)),
    );
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  /** Whose money was moved. */
  get posted(): readonly string[] {
    const made = this.recorded.filter(({ answer }) => 'recordedAt' in answer.body);
    return made.map(({ key }) => key);
  }

  /** Minor units that were debited. */
  get moved(): number {
    const legs = this.recorded
      .filter(({ answer }) => 'recordedAt' in answer.body)
      .flatMap(({ body }) => body.legs?.slice(0, 1) ?? []);
    return legs.reduce((sum, { amount }) => sum + Number(amount), 0);
  }

  /** What somebody else opens. */
  open(account: Readonly<{ id: string; asset: string; normalSide: string }>): void {
    this.decide({ type: 'OpenAccount', idempotencyKey: `open-${account.id}`, body: account });
  }

  /** What was made stays, and under which keys is forgotten. */
  forgetKeys(): void {
    this.recorded = this.recorded.map((each) => ({ ...each, key: `forgotten ${each.key}` }));
  }

  /** What retention under `snapshots` does to everything so far. */
  removeAnswers(): void {
    this.gone = new Set(this.recorded.map(({ key }) => key));
  }

  /** What somebody else posts: under a key that was sent before, the same command. */
  post(...keys: readonly string[]): void {
    for (const idempotencyKey of keys)
      this.decide(
        this.sent.get(idempotencyKey) ?? {
          type: 'PostTransfer',
          idempotencyKey,
          body: { legs: [] },
        },
      );
  }

  /** As after a restore to that position. */
  restore(position: number): void {
    this.recorded = this.recorded.slice(0, position);
    this.restores++;
  }

  private async answer(request: IncomingMessage): Promise<Pick<Answer, 'status' | 'body'>> {
    const { method, url = '' } = request;
    if (method === 'PUT') return { status: 200, body: {} };
    if (method === 'GET') return this.find(url.replace(/\?.*/, ''));
    if (this.bulksMax-- <= 0) return problem(400, 'invalid-request');
    const { commands } = JSON.parse(await textOf(request)) as { commands: readonly Item[] };
    const keys = new Set(commands.map(({ idempotencyKey }) => idempotencyKey));
    if (keys.size < commands.length) return problem(400, 'invalid-request');
    if (this.onBulk([...keys]) === true) return problem(503, 'unavailable');
    for (const item of commands) this.sent.set(item.idempotencyKey, item);
    return { status: 200, body: { results: commands.map((item) => this.decide(item)) } };
  }

  private find(path: string): Pick<Answer, 'status' | 'body'> {
    const [, kind, name = ''] = /\/(\w+)\/([^/]*)$/.exec(path) ?? [];
    const id = decodeURIComponent(name);
    if (kind !== 'commands') {
      const made = this.made((_, body) => (body as { id?: string }).id === id);
      return made === undefined
        ? problem(404, 'not-found')
        : { status: 200, body: made.answer.body };
    }
    const found = this.recorded.find((each) => each.key === id);
    if (found === undefined) return problem(404, 'command-not-found');
    if (this.gone.has(id)) return problem(410, 'answer-removed');
    return { status: 200, body: { key: id, answer: found.answer } };
  }

  /** The first that succeeded and fits. */
  private made(fits: (asked: Item['body'], body: object) => boolean): Recorded | undefined {
    return this.recorded.find(
      ({ answer, body }) => answer.status === 201 && fits(body, answer.body),
    );
  }

  private decide({ type, idempotencyKey: key, body }: Item): Answer {
    const hash = JSON.stringify([type, body]);
    const known = this.recorded.find((each) => each.key === key);
    if (known === undefined) {
      const answer = this.decided(body);
      this.recorded.push({ key, hash, answer, body });
      return answer;
    }
    if (this.gone.has(key)) return problem(410, 'answer-removed');
    if (known.hash !== hash) return problem(422, 'idempotency-key-reused');
    const headers = { ...known.answer.headers, 'Idempotency-Replayed': 'true' };
    return { ...known.answer, headers };
  }

  private decided(body: Item['body']): Answer {
    const { id, legs, reference } = body;
    const headers = { 'Holdfast-Position': positionToken(this.recorded.length + 1, this.restores) };
    if (legs === undefined) {
      const there = this.made((asked) => asked.legs === undefined && asked.id === id);
      return there === undefined
        ? { status: 201, headers, body }
        : { ...problem(409, 'account-exists', there.answer.body), headers };
    }
    const first = this.made((asked) => reference !== undefined && asked.reference === reference);
    if (first !== undefined) {
      const { id: transferId } = first.answer.body as { id?: string };
      return { ...problem(409, 'reference-exists', { transferId }), headers };
    }
    if (legs.some(({ amount }) => Number(amount) > AMOUNT_MAX))
      return { ...problem(422, 'insufficient-funds'), headers };
    const recordedAt = process.hrtime.bigint().toString();
    return { status: 201, headers, body: { ...body, id: `transfer-${recordedAt}`, recordedAt } };
  }
}

function problem(status: number, slug: string, parameters: object = {}): Answer {
  const body = { ...parameters, type: `/problems/${slug}`, title: slug };
  return { status, headers: {}, body };
}

/** As `position-token.ts` lays it out: a version, a fingerprint, the place in big-endian, the timeline, a checksum. */
function positionToken(position: number, restores: number): string {
  const token = Buffer.alloc(27, 1);
  token.writeUIntBE(position, 9, 6);
  token.writeUInt32BE(restores, 19);
  token.writeUInt32BE(crc32(token.subarray(0, 23)), 23);
  return token.toString('base64url');
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
