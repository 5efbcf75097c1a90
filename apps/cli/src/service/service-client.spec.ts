import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ServiceClient } from './service-client.js';

const skewed = (clockTime: string) => ({
  status: 503,
  body: {
    type: '/problems/clock-skew',
    detail: `The clock of the service says ${clockTime}, and 10:00 was expected. Nothing was applied.`,
  },
});

describe('a client with patience', () => {
  const running: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.close();
  });

  /** Of a service that gives these answers, one after the other. */
  async function clientOf(answers: readonly { status: number; body: object }[]) {
    const asked: (string | undefined)[] = [];
    const told: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      const { status, body } = answers[asked.length]!;
      asked.push(url);
      response.writeHead(status).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new ServiceClient({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      patienceMillis: 60_000,
      onOutage: (reason) => told.push(reason),
    });
    running.push(server, client);
    return { client, told };
  }

  it('tells what it waits for, again when that changes, and when it is over', async () => {
    const overloaded = { status: 429, body: { type: '/problems/overloaded', title: 'Too much' } };
    const done = { status: 200, body: {} };
    const { client, told } = await clientOf([overloaded, skewed('11:00'), skewed('11:01'), done]);
    expect(await client.put('/v1/ledgers/main')).toEqual(done);
    expect(told).toEqual([
      'overloaded: Too much',
      `clock-skew: ${skewed('11:00').body.detail}`,
      undefined,
    ]);
  });

  it('sends again what the service has not received in time', async () => {
    const late = { status: 408, body: { type: '/problems/request-timeout', title: 'Late' } };
    const done = { status: 200, body: {} };
    const { client, told } = await clientOf([late, done]);
    expect(await client.post('/bulk', {})).toEqual(done);
    expect(told).toEqual(['request-timeout: Late', undefined]);
  });

  describe('of a service that takes a request and never answers', () => {
    async function silent(patienceMillis: number, signal?: AbortSignal) {
      const server = createServer();
      const asked = once(server, 'request');
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}`;
      const client = new ServiceClient({ url, patienceMillis, ...(signal && { signal }) });
      running.push({ close: () => server.closeAllConnections() }, server, client);
      return { client, asked };
    }

    it('ends with its patience', async () => {
      const { client } = await silent(100);
      await expect(client.put('/v1/ledgers/main')).rejects.toMatchObject({
        ...{ code: 'SERVICE_UNREACHABLE', message: expect.stringContaining('it does not answer') },
      });
    });

    it('ends when it is told to', async () => {
      const stop = new AbortController();
      const { client, asked } = await silent(600_000, stop.signal);
      const sent = client.post('/bulk', {});
      await asked;
      stop.abort();
      await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('tells what half an answer waits for', async () => {
    const [half, whole] = [{ waits: 'clock-skew: it is 11:00' }, {}];
    const { client, told } = await clientOf([
      { status: 200, body: half },
      { status: 200, body: whole },
    ]);
    const waits = ({ body }: { body: unknown }) => (body as { waits?: string }).waits;
    expect(await client.post('/bulk', {}, { unfinished: waits })).toEqual({
      status: 200,
      body: whole,
    });
    expect(told).toEqual([half.waits, undefined]);
  });
});
