import { setTimeout } from 'node:timers/promises';
import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import { Agent, request } from 'undici';

export interface ServiceAnswer {
  readonly status: number;
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown;
}

export interface ServiceClientOptions {
  /** `http://127.0.0.1:7400` */
  readonly url: string;
  /** How long a request is sent again while the service cannot answer it. */
  readonly patienceMillis: number;
  /** Called when the service stops answering, when it does not for another reason, and once when it answers again. */
  readonly onOutage?: (reason: string | undefined) => void;
  readonly signal?: AbortSignal;
}

/** About a request that may have to be sent more than once. */
export interface Repetition {
  /** An answer of 200 may be only half of one: then this says why, and the request is sent again. */
  readonly unfinished?: (answer: ServiceAnswer) => string | undefined;
  /** Read before the request is sent again, since anything may have happened meanwhile; `check` throws when it must not be. */
  readonly ground?:
    { readonly path: string; readonly check: (answer: ServiceAnswer) => void } | undefined;
}

/** One attempt: answered for good, or to be repeated for this reason. */
type Attempted =
  | { readonly answer: ServiceAnswer }
  | { readonly reason: string; readonly retryAfterMillis?: number };

const PAUSE_MILLIS_MIN = 50;
const PAUSE_MILLIS_MAX = 5_000;
const ANSWER_MILLIS_MAX = 60_000;
/** However little patience is left. */
const ANSWER_MILLIS_MIN = 1_000;
const SECOND = 1_000;

/** Statuses that say "not now": the request did not arrive in time, or there are too many. All of 5xx belongs to them: the outcome may be unknown, and the same request with the same key settles it. */
const isTransient = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * Talks to a service that may be overloaded, stopping, dead or starting. A request is sent until it is answered for good, so it must be one that may
 * be repeated: a read, a write that is idempotent by its name, or commands under keys.
 */
export class ServiceClient {
  private readonly agent = new Agent();
  /** What kind of reason was told last; undefined while the service answers. */
  private outage: string | undefined;

  constructor(private readonly options: ServiceClientOptions) {}

  get(path: string): Promise<ServiceAnswer> {
    return this.send('GET', path);
  }

  put(path: string, body?: unknown): Promise<ServiceAnswer> {
    return this.send('PUT', path, body);
  }

  post(path: string, body: unknown, repetition?: Repetition): Promise<ServiceAnswer> {
    return this.send('POST', path, body, repetition);
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async send(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body?: unknown,
    { unfinished = () => undefined, ground }: Repetition = {},
  ): Promise<ServiceAnswer> {
    const { signal, patienceMillis, url } = this.options;
    const givingUpAt = performance.now() + patienceMillis;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      let attempted = await this.lookedAt(attempt === 0 ? undefined : ground, givingUpAt);
      attempted ??= await this.once(method, path, body, givingUpAt);
      if ('answer' in attempted) {
        const { answer } = attempted;
        const reason = unfinished(answer);
        if (reason === undefined) {
          this.report(undefined);
          return answer;
        }
        attempted = { reason };
      }
      const { reason, retryAfterMillis } = attempted;
      const pauseMillis = pauseBefore(attempt, retryAfterMillis);
      if (performance.now() + pauseMillis > givingUpAt)
        throw unreachable(url, reason, patienceMillis);
      this.report(reason);
      await setTimeout(pauseMillis, undefined, signal === undefined ? {} : { signal });
    }
  }

  /** Undefined when the ground is as it was; it may not be readable now. */
  private async lookedAt(
    ground: Repetition['ground'],
    givingUpAt: number,
  ): Promise<Attempted | undefined> {
    if (ground === undefined) return undefined;
    const attempted = await this.once('GET', ground.path, undefined, givingUpAt);
    if (!('answer' in attempted)) return attempted;
    ground.check(attempted.answer);
    return undefined;
  }

  private async once(
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body: unknown,
    givingUpAt: number,
  ): Promise<Attempted> {
    const { signal } = this.options;
    const left = Math.max(givingUpAt - performance.now(), ANSWER_MILLIS_MIN);
    const late = AbortSignal.timeout(Math.ceil(Math.min(left, ANSWER_MILLIS_MAX)));
    try {
      const answered = await request(`${this.options.url}${path}`, {
        method,
        dispatcher: this.agent,
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
      });
      const text = await answered.body.text();
      const answer = { status: answered.statusCode, body: parsed(text) };
      if (!isTransient(answer.status)) return { answer };
      const retryAfter = Number(answered.headers['retry-after']);
      return {
        reason: problemText(answer),
        ...(Number.isNaN(retryAfter) ? undefined : { retryAfterMillis: retryAfter * SECOND }),
      };
    } catch (error) {
      signal?.throwIfAborted();
      // Sent or not, answered or not: nobody can tell. The key makes repeating it safe.
      if (late.aborted) return { reason: 'it does not answer' };
      return { reason: errorCode(error) ?? errorMessage(error) };
    }
  }

  private report(reason: string | undefined): void {
    // What a problem says besides, such as the time, changes with every attempt.
    const kind = reason?.replace(/:.*/s, '');
    if (this.outage === kind) return;
    this.outage = kind;
    this.options.onOutage?.(reason);
  }
}

/** `insufficient-funds: The account …` */
export function problemText({ status, body }: ServiceAnswer): string {
  if (typeof body !== 'object' || body === null) return `status ${status}`;
  const { type, detail, title } = body as Partial<Record<string, unknown>>;
  const slug = typeof type === 'string' ? type.replace(/^.*\//, '') : `status ${status}`;
  const sentence = typeof detail === 'string' ? detail : title;
  return typeof sentence === 'string' ? `${slug}: ${sentence}` : slug;
}

/** Doubling with full jitter, so that many clients do not come back at once; what the service asks for counts, within reason. */
function pauseBefore(attempt: number, retryAfterMillis = 0): number {
  const ceiling = Math.min(PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN * 2 ** Math.min(attempt, 10));
  const jittered = PAUSE_MILLIS_MIN + Math.random() * (ceiling - PAUSE_MILLIS_MIN);
  return Math.max(jittered, Math.min(retryAfterMillis, PAUSE_MILLIS_MAX));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours: a proxy's page, or nothing.
    return undefined;
  }
}

function unreachable(url: string, reason: string, patienceMillis: number): CodedError {
  return new CodedError(
    'SERVICE_UNREACHABLE',
    `${url} has not answered for ${Math.round(patienceMillis / SECOND)} s: ${reason}`,
    { url, reason },
  );
}
