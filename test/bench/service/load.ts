import { assert } from '@holdfast/kernel';
import { Client } from 'undici';

export interface LoadRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Of one request, from sending it to the last byte of its answer; in milliseconds, ascending. */
  readonly latencies: Float64Array;
}

/** How long an answer may take before the measurement counts as failed. */
const ANSWER_MILLIS_MAX = 30_000;

/**
 * A closed loop: each connection sends its next request when the last is answered. Every answer must be a success. `make` is called once for each request,
 * so that each has a key of its own; its time is the client's.
 */
export async function load(
  address: string,
  connections: number,
  seconds: number,
  make: () => LoadRequest,
): Promise<Load> {
  const clients = Array.from(
    { length: connections },
    () =>
      new Client(address, { bodyTimeout: ANSWER_MILLIS_MAX, headersTimeout: ANSWER_MILLIS_MAX }),
  );
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  try {
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < endsAt) latencies.push(await post(client, make()));
      }),
    );
    return {
      requests: latencies.length,
      seconds: (performance.now() - startedAt) / 1_000,
      latencies: Float64Array.from(latencies).sort(),
    };
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
}

async function post(client: Client, { path, headers, body }: LoadRequest): Promise<number> {
  const sentAt = performance.now();
  const answer = await client.request({ method: 'POST', path, headers, body });
  const text = await answer.body.text();
  assert(answer.statusCode < 300, `${path} is answered ${answer.statusCode}: ${text}`);
  return performance.now() - sentAt;
}

/** The value that so many parts in a hundred do not exceed. */
export function percentile(ascending: Float64Array, percent: number): number {
  return ascending[Math.ceil((percent / 100) * ascending.length) - 1] ?? NaN;
}
