import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import { Agent, request } from 'undici';

export interface AdminClientOptions {
  /** `http://127.0.0.1:7404` */
  readonly url: string;
  /** Empty: none. */
  readonly token: string;
}

export interface AdminAnswer {
  readonly body: Readonly<Record<string, unknown>>;
  /** Of a job that was started. */
  readonly location: string | undefined;
}

const ANSWER_MILLIS_MAX = 60_000;

/** Talks to the admin API: one attempt each, because who asks is a person who looks on. */
export class AdminClient {
  private readonly agent = new Agent({
    headersTimeout: ANSWER_MILLIS_MAX,
    bodyTimeout: ANSWER_MILLIS_MAX,
  });

  constructor(private readonly options: AdminClientOptions) {}

  /** Throws `SERVICE_UNREACHABLE`, `ADMIN_DENIED`, and `ADMIN_REFUSED` with what the service says. */
  get(path: string): Promise<AdminAnswer> {
    return this.send('GET', path);
  }

  post(path: string, body?: object): Promise<AdminAnswer> {
    return this.send('POST', path, body);
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private async send(method: 'GET' | 'POST', path: string, body?: object): Promise<AdminAnswer> {
    const { url, token } = this.options;
    const answered = await request(`${url}${path}`, {
      method,
      dispatcher: this.agent,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw unreachable(url, error);
    });
    const parsed = parsedObject(await answered.body.text());
    if (answered.statusCode >= 400) throw refused(url, answered.statusCode, parsed);
    const { location } = answered.headers;
    return { body: parsed, location: typeof location === 'string' ? location : undefined };
  }
}

function parsedObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // Not ours: a proxy's page, or nothing.
    return {};
  }
}

function unreachable(url: string, cause: unknown): CodedError {
  const reason = errorCode(cause) ?? errorMessage(cause);
  return new CodedError(
    'SERVICE_UNREACHABLE',
    `the admin API at ${url} does not answer: ${reason}. Where no service runs, name its data: --data <directory>`,
    { url, reason },
    { cause },
  );
}

function refused(url: string, status: number, body: Readonly<Record<string, unknown>>): CodedError {
  const { type, title, detail, errors } = body;
  const problem = typeof type === 'string' ? type.replace(/^.*\//, '') : `status ${status}`;
  const wrong = Array.isArray(errors)
    ? errors.map((error: { readonly detail?: unknown }) => String(error.detail)).join('; ')
    : undefined;
  const sentence = [wrong, detail, title].find((text) => typeof text === 'string') ?? '';
  const code = status === 401 || status === 403 ? 'ADMIN_DENIED' : 'ADMIN_REFUSED';
  return new CodedError(code, `${problem}: ${sentence}`, { url, status, problem });
}
