import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
  createServer as createHttpServer,
  request as httpRequest,
} from 'node:http';
import { on } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Module,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { ProblemException } from '@holdfast/nestjs/http';
import { type Served, serve } from '../testing/served.js';
import { LargeBody } from '../http/bodies-in-flight.js';
import { PageQuery } from '../http/page-query.dto.js';
import { type ForwardOptions, type ForwardedRoute, forwardRequests } from './forward-requests.js';

const ROUTES: readonly ForwardedRoute[] = [
  { path: '/v1/*', methods: ['POST', 'PUT', 'PATCH'] },
  { path: '/v1/ledgers/:ledger/commands/:key', methods: ['GET'] },
];

class TransferDto {
  @IsString()
  @MaxLength(5_000_000)
  memo!: string;
}

/** Counts what reaches the command service. */
let arrived: Record<string, unknown>[] = [];

/** The upstream ends its streamed answer only when the client has read the beginning. */
const firstPartRead = Promise.withResolvers<undefined>();

@Controller('v1/ledgers/:ledger')
class CommandsController {
  @Post('transfers')
  @LargeBody()
  @Header('location', '/v1/ledgers/books/transfers/7')
  @Header('etag', '"1"')
  post(
    @Param('ledger') ledger: string,
    @Body() body: TransferDto,
    @Headers() headers: Record<string, string>,
  ) {
    arrived.push(headers);
    return { ledger, bytes: body.memo.length };
  }

  @Post('refusals')
  @HttpCode(200)
  refuse() {
    arrived.push({});
    throw new ProblemException('insufficient-funds', { retryAfterSeconds: 9 });
  }

  @Get('commands/:key')
  command(@Param('key') key: string) {
    arrived.push({ key });
    if (key === 'down') throw new ProblemException('storage-unavailable', { outcome: 'unknown' });
    return { key };
  }

  @Post('stream')
  stream(@Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write('first,');
    void firstPartRead.promise.then(() => reply.raw.end('second'));
  }

  @Post('broken-answer/:bytes')
  broken(@Param('bytes') bytes: string, @Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain', 'content-length': bytes });
    reply.raw.write('half');
    void setTimeout(20).then(() => reply.raw.destroy());
  }
}

@Controller('v1/ledgers/:id')
class QueriesController {
  @Get('transfers')
  list(@Param('id') id: string, @Query() query: PageQuery) {
    return { queried: id, pageSize: query.pageSize() };
  }
}

@Module({ controllers: [CommandsController] })
class CommandModule {}

@Module({ controllers: [QueriesController] })
class QueryModule {}

const running: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
  arrived = [];
});

const problems = { 'insufficient-funds': { status: 422, title: 'Insufficient funds' } };

/** It takes larger bodies than the front door, so that the front door's limit is seen. */
async function startCommandService(): Promise<Served> {
  const served = await serve(CommandModule, { problems, bodyBytesMax: 16 * 1024 * 1024 });
  running.push({ close: () => served.application.stop(0) });
  return served;
}

async function startFrontDoor(
  upstream: string,
  limits: Partial<Omit<ForwardOptions, 'upstream' | 'routes'>> = {},
): Promise<Served> {
  const served = await serve(QueryModule, {}, (application) =>
    forwardRequests(application, { upstream, routes: ROUTES, ...limits }),
  );
  running.push({ close: () => served.application.stop(0) });
  return served;
}

async function startBoth(): Promise<Served> {
  return startFrontDoor((await startCommandService()).url);
}

let connectionsMade = 0;
let connectionsClosed = 0;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(1);
}

/** A server that takes connections and treats them as told. */
async function startBroken(
  onBytes: 'reset' | 'silence' | 'garbage' | 'half' | 'half of a long one' | 'drops',
): Promise<string> {
  const server: Server = createServer((socket) => {
    connectionsMade++;
    socket.on('error', () => undefined);
    socket.on('close', () => connectionsClosed++);
    socket.once('data', () => {
      if (onBytes === 'reset') socket.resetAndDestroy();
      if (onBytes === 'garbage') socket.end('what?\r\n\r\n');
      if (onBytes === 'half') socket.write('HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{"a"');
      if (onBytes === 'half of a long one' || onBytes === 'drops')
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{"a\r\n');
      if (onBytes !== 'drops') return;
      const drop = setInterval(() => socket.write('1\r\n \r\n'), 20);
      socket.on('close', () => clearInterval(drop));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push({ close: () => server.close() });
  connectionsMade = connectionsClosed = 0;
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends the chunks, ends only if the length is undeclared, and gives the answer's head. */
function sendChunks(
  url: string,
  chunks: readonly string[],
  headers: OutgoingHttpHeaders = { 'content-type': 'application/json' },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', headers }, (response) => {
      resolve(response.resume());
      request.on('error', () => undefined);
    });
    request.on('error', reject);
    for (const chunk of chunks) request.write(chunk);
    if (headers['content-length'] === undefined) request.end();
  });
}

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

async function answerOf(response: Response) {
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    body: await response.json(),
  };
}

describe('forwarded requests', () => {
  it('carry body, header fields and correlation id, and bring the answer back', async () => {
    const { url } = await startBoth();
    const response = await fetch(
      `${url}/v1/ledgers/books/transfers`,
      json(
        { memo: 'ü'.repeat(10) },
        { 'idempotency-key': 'k-1', 'x-correlation-id': 'c-1', 'if-match': '"3"' },
      ),
    );
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ ledger: 'books', bytes: 10 });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: '/v1/ledgers/books/transfers/7',
      etag: '"1"',
      'x-correlation-id': 'c-1',
    });
    expect(arrived).toEqual([
      expect.objectContaining({
        'idempotency-key': 'k-1',
        'x-correlation-id': 'c-1',
        'if-match': '"3"',
      }),
    ]);
  });

  it('carry a new correlation id when they came without one, the same on both sides', async () => {
    const { url } = await startBoth();
    const response = await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' }));
    const id = response.headers.get('x-correlation-id');
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(arrived[0]).toMatchObject({ 'x-correlation-id': id });
  });

  it("live beside the application's own routes, which still parse and validate", async () => {
    const { url } = await startBoth();
    const own = await fetch(`${url}/v1/ledgers/books/transfers?limit=7`);
    expect(await own.json()).toEqual({ queried: 'books', pageSize: 7 });
    expect((await fetch(`${url}/v1/ledgers/books/transfers?limit=x`)).status).toBe(400);
    expect((await fetch(`${url}/v1/ledgers/books/commands/a%2Fb%20c`)).status).toBe(200);
    expect(arrived).toEqual([{ key: 'a/b c' }]);
    expect((await fetch(`${url}/v1/ledgers/books/nowhere`)).status).toBe(405);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });

  it("bring the upstream's problems back unchanged, and are not repeated for them", async () => {
    const { url } = await startBoth();
    expect(
      await answerOf(await fetch(`${url}/v1/ledgers/books/refusals`, { method: 'POST' })),
    ).toEqual({
      status: 422,
      type: 'application/problem+json',
      retryAfter: '9',
      body: {
        type: '/problems/insufficient-funds',
        title: 'Insufficient funds',
        status: 422,
        instance: '/v1/ledgers/books/refusals',
      },
    });
    const down = await answerOf(await fetch(`${url}/v1/ledgers/books/commands/down`));
    expect(down).toMatchObject({ status: 503, retryAfter: '1', body: { outcome: 'unknown' } });
    expect(arrived).toHaveLength(2);
  });

  it('are validated by the upstream alone, to the byte', async () => {
    const { url } = await startBoth();
    const twice = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"memo":"","memo":""}',
    };
    expect(await answerOf(await fetch(`${url}/v1/ledgers/books/transfers`, twice))).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/memo', detail: 'the name appears twice in one object' }] },
    });
    const text = await fetch(`${url}/v1/ledgers/books/transfers`, { method: 'POST', body: 'x' });
    expect(text.status).toBe(415);
  });

  it('may be as large as the limit, and larger ones are refused without troubling the upstream', async () => {
    const { url } = await startBoth();
    const limit = 4 * 1024 * 1024;
    const largest = await fetch(
      `${url}/v1/ledgers/books/transfers`,
      json({ memo: 'x'.repeat(limit - 11) }),
    );
    expect([largest.status, await largest.json()]).toEqual([
      201,
      { ledger: 'books', bytes: limit - 11 },
    ]);
    const larger = await fetch(
      `${url}/v1/ledgers/books/transfers`,
      json({ memo: 'x'.repeat(limit) }),
    );
    expect(await answerOf(larger)).toMatchObject({
      status: 413,
      body: { type: '/problems/too-large' },
    });
    expect(arrived).toHaveLength(1);
  });

  it('may come in chunks of undeclared length, up to the same limit', async () => {
    const { url } = await startBoth();
    const small = await sendChunks(`${url}/v1/ledgers/books/transfers`, ['{"memo":"', 'abc', '"}']);
    expect(small).toMatchObject({ statusCode: 201, headers: { connection: 'keep-alive' } });
    const mebibytes = Array<string>(5).fill('x'.repeat(1024 * 1024));
    const large = await sendChunks(`${url}/v1/ledgers/books/transfers`, [
      '{"memo":"',
      ...mebibytes,
    ]);
    expect(large).toMatchObject({ statusCode: 413, headers: { connection: 'close' } });
    expect(arrived).toHaveLength(1);
  });

  it('that are answered before they have come whole end their connection', async () => {
    const { url } = await startBoth();
    const headers = { 'content-type': 'application/json', 'content-length': 5_000_000 };
    const early = await sendChunks(`${url}/v1/ledgers/books/transfers`, ['half'], headers);
    expect(early).toMatchObject({ statusCode: 413, headers: { connection: 'close' } });
    expect(arrived).toEqual([]);
  });

  it('are answered beside as many uploads that are never finished as the service has places', async () => {
    const { url } = await startFrontDoor((await startCommandService()).url, { waitMillisMax: 50 });
    const head =
      'POST /v1/ledgers/books/transfers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    for (let upload = 0; upload < 128; upload++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      running.push({ close: () => socket.destroy() });
      socket.on('error', () => undefined).write(`${head}content-length: 10000\r\n\r\n{"memo":"`);
    }
    const inFlight = async () => (await fetch(`${url}/metrics`)).text();
    while (!/requests_in_flight 1[23]\d/.test(await inFlight()));
    const answer = await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: 'honest' }));
    expect([answer.status, await answer.json()]).toEqual([201, { ledger: 'books', bytes: 6 }]);
    expect(arrived).toHaveLength(1);
  });

  it('may expect 100-continue, as curl does for large bodies', async () => {
    const { url } = await startBoth();
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(
        `${url}/v1/ledgers/books/transfers`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            expect: '100-continue',
            'content-length': 11,
          },
        },
        (response) => resolve(response.resume().statusCode),
      );
      request.on('error', reject).on('continue', () => request.end('{"memo":""}'));
    });
    expect(status).toBe(201);
  });

  it('keep what belongs to one connection on that connection', async () => {
    const { url } = await startBoth();
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const request = httpRequest(
        `${url}/v1/ledgers/books/transfers`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            connection: 'keep-alive, x-private',
            'x-private': '1',
            'x-public': '1',
            te: 'trailers',
          },
        },
        (response) => resolve(response.resume().headers),
      );
      request.on('error', reject).end('{"memo":""}');
    });
    expect(arrived[0]).toMatchObject({ 'x-public': '1' });
    expect(Object.keys(arrived[0]!)).not.toEqual(expect.arrayContaining(['x-private']));
    expect(Object.keys(arrived[0]!)).not.toEqual(expect.arrayContaining(['te']));
    expect(headers['connection']).toBe('keep-alive');
  });

  it('say of an answer to HEAD how long it would be to GET', async () => {
    const { url } = await startBoth();
    const address = `${url}/v1/ledgers/books/commands/k`;
    const [got, headed] = [await fetch(address), await fetch(address, { method: 'HEAD' })];
    expect([headed.status, headed.headers.get('content-length')]).toEqual([
      200,
      String((await got.arrayBuffer()).byteLength),
    ]);
    expect(await headed.text()).toBe('');
  });

  it('get an answer while it is still being made', async () => {
    const { url } = await startBoth();
    const response = await fetch(`${url}/v1/ledgers/books/stream`, { method: 'POST' });
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(Buffer.from(first.value as Uint8Array).toString()).toBe('first,');
    firstPartRead.resolve(undefined);
    const second = await reader.read();
    expect(Buffer.from(second.value as Uint8Array).toString()).toBe('second');
  });

  it('show a long answer that broke off as broken, and tell of a short one that nobody knows', async () => {
    const { url } = await startBoth();
    const post = (path: string) => fetch(`${url}/v1/ledgers/books/${path}`, { method: 'POST' });
    await expect((await post('broken-answer/100000')).text()).rejects.toThrow();
    expect(await answerOf(await post('broken-answer/100'))).toMatchObject({
      status: 503,
      body: { type: '/problems/storage-unavailable', outcome: 'unknown' },
    });
  });
});

describe('forwarding to a service that is down', () => {
  const unavailable = (outcome: string, instance = '/v1/ledgers/books/transfers') => ({
    status: 503,
    type: 'application/problem+json',
    retryAfter: '1',
    body: {
      type: '/problems/storage-unavailable',
      title: 'Storage is not available',
      status: 503,
      detail: 'the service that answers this request cannot be reached',
      instance,
      outcome,
    },
  });

  it('tells of each connection that it makes, before anything is sent on it', async () => {
    const told: number[] = [];
    const onConnect = (): void => void told.push(arrived.length);
    const { url } = await startFrontDoor((await startCommandService()).url, { onConnect });
    arrived = [];
    for (let sent = 0; sent < 2; sent++)
      await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' }));
    expect([told, arrived.length]).toEqual([[0], 2]);
  });

  it('says that nothing was applied when the connection was refused', async () => {
    const unused = createHttpServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const { url, lines } = await startFrontDoor(`http://127.0.0.1:${port}`);
    const answer = await answerOf(
      await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' })),
    );
    expect(answer).toEqual(unavailable('not-applied'));
    expect(lines).toMatchObject([
      { level: 'warn', problem: 'storage-unavailable', msg: 'requests are being refused' },
      { path: '/v1/ledgers/books/transfers', status: 503 },
    ]);
  });

  it.each(['reset', 'garbage'] as const)(
    'says that the outcome is unknown when the connection broke: %s',
    async (how) => {
      const { url } = await startFrontDoor(await startBroken(how));
      const answer = await answerOf(
        await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' })),
      );
      expect(answer).toEqual(unavailable('unknown'));
    },
  );

  it('says that the outcome is unknown when no answer came in time', async () => {
    const { url } = await startFrontDoor(await startBroken('silence'), { answerMillisMax: 200 });
    const answer = await answerOf(
      await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' })),
    );
    expect(answer).toEqual(unavailable('unknown'));
  });

  it('says that the outcome is unknown when a short answer falls silent half-way', async () => {
    const { url } = await startFrontDoor(await startBroken('half'), { answerMillisMax: 200 });
    const answer = await answerOf(
      await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' })),
    );
    expect(answer).toEqual(unavailable('unknown'));
  });

  it.each(['half of a long one', 'drops'] as const)(
    'breaks an answer off that does not end, and its connection serves the next: %s',
    async (how) => {
      const limits = { answerMillisMax: 200, connectionsMax: 1, waitMillisMax: 10_000 };
      const { url, application } = await startFrontDoor(await startBroken(how), limits);
      const post = async () =>
        (await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' }))).text();
      const outcomes = await Promise.allSettled([post(), post(), post()]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(await application.drain(1_000)).toBe(true);
    },
  );

  it('says that nothing was applied when there was no room at the service in time', async () => {
    const limits = { connectionsMax: 1, waitMillisMax: 50 };
    const { url } = await startFrontDoor(await startBroken('silence'), limits);
    const gone = new AbortController();
    const first = fetch(`${url}/v1/ledgers/books/transfers`, {
      ...json({ memo: '' }),
      signal: gone.signal,
    }).catch(() => 'gone');
    await until(() => connectionsMade === 1);
    const second = await answerOf(
      await fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' })),
    );
    expect(second).toMatchObject({
      status: 503,
      retryAfter: '1',
      body: { type: '/problems/storage-unavailable', outcome: 'not-applied' },
    });
    gone.abort();
    expect(await first).toBe('gone');
    expect(connectionsMade).toBe(1);
  });

  it('says of a query that nothing was applied', async () => {
    const { url } = await startFrontDoor(await startBroken('reset'));
    const answer = await answerOf(await fetch(`${url}/v1/ledgers/books/commands/k`));
    expect(answer).toEqual(unavailable('not-applied', '/v1/ledgers/books/commands/k'));
  });

  it('goes on when the service is back', async () => {
    const first = await startCommandService();
    const { port } = new URL(first.url);
    const { url } = await startFrontDoor(first.url);
    const post = () => fetch(`${url}/v1/ledgers/books/transfers`, json({ memo: '' }));
    expect((await post()).status).toBe(201);
    await first.application.stop(0);
    expect((await post()).status).toBe(503);
    const again = await serve(CommandModule, { problems }, () => undefined, Number(port));
    running.push({ close: () => again.application.stop(0) });
    expect((await post()).status).toBe(201);
  });

  it('lets go of the upstream when the client goes away', async () => {
    const { url, application, lines } = await startFrontDoor(await startBroken('silence'));
    const gone = new AbortController();
    const request = fetch(`${url}/v1/ledgers/books/transfers`, {
      ...json({ memo: '' }),
      signal: gone.signal,
    });
    const outcome = expect(request).rejects.toThrow('aborted');
    await setTimeout(100);
    gone.abort();
    await outcome;
    expect(await application.drain(1_000)).toBe(true);
    await setTimeout(50);
    expect(connectionsClosed).toBe(1);
    expect(lines.map(({ level, aborted }) => [level, aborted])).toEqual([['info', true]]);
  });

  describe('of a route with streams', () => {
    const STREAMS = [...ROUTES, { path: '/v1/streams', methods: ['GET'], streams: true } as const];

    /** Streams that begin and then say what they are told to. */
    async function startStreams(headers: OutgoingHttpHeaders = {}) {
      const streams: ServerResponse[] = [];
      const server = createHttpServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
        response.write('first\n');
        streams.push(response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      running.push({ close });
      return { streams, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    }

    async function startFront(upstream: string, limits: Partial<ForwardOptions> = {}) {
      const served = await serve(QueryModule, {}, (application) =>
        forwardRequests(application, { upstream, routes: STREAMS, ...limits }),
      );
      running.push({ close: () => served.application.stop(0) });
      return served;
    }

    it('hands on each part as it comes, for longer than an answer may take', async () => {
      const { streams, url } = await startStreams();
      const front = await startFront(url, { answerMillisMax: 50 });
      const response = await fetch(`${front.url}/v1/streams`);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      const next = async () => (await reader.read()).value;
      expect(await next()).toBe('first\n');
      // Twice what any other answer has in all.
      await setTimeout(200);
      streams[0]!.write('second\n');
      expect(await next()).toBe('second\n');
      streams[0]!.end();
      expect((await reader.read()).done).toBe(true);
    });

    it('holds back no command, is bounded for each client, and ends with its client', async () => {
      const { streams, url } = await startStreams();
      const limits = { connectionsMax: 1, streamLimits: { streamsMax: 9, streamsOfClientMax: 2 } };
      const front = await startFront(url, limits);
      const leaving = new AbortController();
      const { signal } = leaving;
      await Promise.all([1, 2].map(() => fetch(`${front.url}/v1/streams`, { signal })));
      const third = await fetch(`${front.url}/v1/streams`);
      expect([third.status, third.headers.get('retry-after')]).toEqual([429, '5']);
      await third.text();
      const command = await fetch(`${front.url}/v1/ledgers/a/commands/k`, { signal });
      expect(command.status).toBe(200);
      leaving.abort();
      await until(() => streams.every(({ destroyed, closed }) => destroyed || closed));
      const again = await fetch(`${front.url}/v1/streams`);
      expect(again.status).toBe(200);
      await again.body!.cancel();
    });

    it.each(['the upstream breaks it off', 'the front door stops'])(
      'does not look whole to a client of HTTP/1.0 when %s',
      async (why) => {
        const { streams, url } = await startStreams({ 'holdfast-position': 'the end' });
        const front = await startFront(url);
        const socket = connect(Number(new URL(front.url).port), '127.0.0.1');
        const ended = howItEnds(socket);
        socket.write('GET /v1/streams HTTP/1.0\r\n\r\n');
        let text = '';
        for await (const chunk of on(socket, 'data'))
          if ((text += String(chunk)).includes('first\n')) break;
        if (why === 'the front door stops') void front.application.stop(60_000);
        else streams[0]!.destroy();
        socket.resume();
        expect(await ended).toBe('ECONNRESET');
        expect(text).toMatch(/^HTTP\/1\.1 200 /);
        expect(text).not.toMatch(/holdfast-position/i);
        const response = await fetch(`${front.url}/v1/streams`).catch(() => undefined);
        if (why !== 'the front door stops')
          expect(response?.headers.get('holdfast-position')).toBe('the end');
        await response?.body?.cancel();
      },
    );

    it('is ended by a stop, and does not hold it up', async () => {
      const { url } = await startStreams();
      const front = await startFront(url);
      const response = await fetch(`${front.url}/v1/streams`);
      const read = response.text().catch(() => 'broken off');
      await front.application.stop(60_000);
      expect(await read).toBe('broken off');
    });
  });
});

/** The code of its error, or `whole`. */
function howItEnds(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    socket.once('end', () => resolve('whole'));
  });
}
