import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CodedError } from '@holdfast/kernel';
import {
  BadRequestException,
  Body,
  Controller,
  ForbiddenException,
  Get,
  Header,
  Module,
  Param,
  Post,
  Query,
  Res,
  ServiceUnavailableException,
} from '@nestjs/common';
import { IsInt, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { ProblemException } from '@holdfast/nestjs/http';
import { type Served, serve } from '../testing/served.js';
import { IsNestedList } from '../validation/nested.js';
import { MayBeAbsent } from '../validation/presence.js';
import { ORDINARY_BODY_BYTES_MAX } from './bodies-in-flight.js';
import { PageQuery } from './page-query.dto.js';

class LegDto {
  @IsString()
  @MaxLength(10)
  accountId!: string;
}

class TransferDto {
  @IsNestedList(() => LegDto, { min: 1, max: 2 })
  legs!: LegDto[];

  @MayBeAbsent()
  @IsInt()
  @Min(1)
  @Max(3)
  version?: number;

  legCount(): number {
    return this.legs.length;
  }
}

class Target {
  @Matches(/^[a-z]{1,200}$/)
  ledger!: string;
}

@Controller('v1/:ledger')
class TransfersController {
  @Post('transfers')
  post(@Param() target: Target, @Body() body: TransferDto) {
    return { ledger: target.ledger, legs: body.legCount(), isLeg: body.legs[0] instanceof LegDto };
  }

  @Get('transfers')
  list(@Param() _target: Target, @Query() query: PageQuery) {
    return { pageSize: query.pageSize(), cursor: query.cursor ?? null };
  }

  @Post('void')
  void() {
    return { done: true };
  }
}

const failures: Readonly<Record<string, () => never>> = {
  funds: () => {
    throw new ProblemException('insufficient-funds', {
      parameters: { accountId: 'a', needed: '5' },
      headers: { etag: '"7"' },
    });
  },
  full: () => {
    throw new CodedError('WAL_FULL', 'the disk at /secret is full');
  },
  poisoned: () => {
    throw new CodedError('WAL_POISONED', 'poisoned');
  },
  overloaded: () => {
    throw new CodedError('WAL_OVERLOADED', 'queue');
  },
  uncoded: () => {
    throw new CodedError('SOMETHING_ELSE', 'a secret');
  },
  bug: () => {
    throw new TypeError('secret is not a function');
  },
  text: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever a library throws must be answered
    throw 'secret';
  },
  nothing: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever a library throws must be answered
    throw undefined;
  },
  bad: () => {
    throw new BadRequestException('not like this');
  },
  forbidden: () => {
    throw new ForbiddenException();
  },
  unavailable: () => {
    throw new ServiceUnavailableException('secret');
  },
  unknownSlug: () => {
    throw new ProblemException('no-such-problem');
  },
};

@Controller('fail')
class FailingController {
  @Get(':how')
  fail(@Param('how') how: string) {
    failures[how]?.();
  }

  @Get('promise/:how')
  async later(@Param('how') how: string) {
    await (how === 'late' ? setTimeout(20) : Promise.resolve());
    failures[how]?.();
  }

  @Get('after/:how')
  async after(@Param('how') how: string, @Res() reply: FastifyReply) {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/plain' });
    reply.raw.write(how);
    if (how === 'whole') reply.raw.end();
    await setTimeout(20);
    throw new Error('too late');
  }

  @Get('own/type')
  @Header('content-type', 'text/csv')
  typed() {
    failures['funds']?.();
  }
}

@Module({ controllers: [TransfersController, FailingController] })
class TestModule {}

let served: Served;

beforeAll(async () => {
  served = await serve(TestModule, {
    problems: {
      'insufficient-funds': {
        status: 422,
        title: 'Insufficient funds',
        detail: (of) => `${of('accountId')} lacks ${of('needed')}`,
      },
    },
    codedErrors: {
      WAL_OVERLOADED: { problem: 'overloaded', retryAfterSeconds: 2 },
      WAL_FULL: { problem: 'storage-unavailable', outcome: 'not-applied' },
      WAL_POISONED: { problem: 'storage-unavailable', outcome: 'unknown' },
    },
  });
});

afterAll(() => served.application.stop(0));

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(served.url + path, init);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}

function post(
  path: string,
  body: string | Buffer | object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
}

function problem(slug: string, status: number, title: unknown, more: object = {}) {
  return { type: `/problems/${slug}`, status, title, ...more };
}

const invalid = (
  instance: string,
  ...errors: readonly [part: string, pointer: string, detail: string][]
) =>
  problem('invalid-request', 400, 'The request is not valid', {
    instance,
    errors: errors.map(([part, pointer, detail]) => ({ in: part, pointer, detail })),
  });

describe('answers', () => {
  it('gives handlers DTOs made from validated bodies and paths', async () => {
    const answer = await post('/v1/books/transfers', { legs: [{ accountId: 'a' }] });
    expect([answer.status, answer.body]).toEqual([201, { ledger: 'books', legs: 1, isLeg: true }]);
  });

  it('answers a refusal with its status, parameters, sentence and header fields', async () => {
    const { status, type, body, headers } = await ask('/fail/funds');
    expect({ status, type, body }).toEqual({
      status: 422,
      type: 'application/problem+json',
      body: problem('insufficient-funds', 422, 'Insufficient funds', {
        detail: 'a lacks 5',
        instance: '/fail/funds',
        accountId: 'a',
        needed: '5',
      }),
    });
    expect(headers.get('etag')).toBe('"7"');
    expect(headers.has('retry-after')).toBe(false);
  });

  it.each(['/fail/promise/funds', '/fail/own/type'])(
    'does so however it is thrown: %s',
    async (path) => {
      const { status, type, body } = await ask(path);
      expect([status, type, body['type']]).toEqual([
        422,
        'application/problem+json',
        '/problems/insufficient-funds',
      ]);
    },
  );

  it.each([
    ['overloaded', 429, 'overloaded', undefined, '2'],
    ['full', 503, 'storage-unavailable', 'not-applied', '1'],
    ['poisoned', 503, 'storage-unavailable', 'unknown', '1'],
    ['uncoded', 500, 'internal-error', 'unknown', null],
    ['bug', 500, 'internal-error', 'unknown', null],
    ['text', 500, 'internal-error', 'unknown', null],
    ['nothing', 500, 'internal-error', 'unknown', null],
    ['unavailable', 500, 'internal-error', 'unknown', null],
  ])(
    'maps the failure "%s" to %d %s with outcome %s and leaks nothing',
    async (how, status, slug, outcome, retryAfter) => {
      const answer = await ask(`/fail/${how}`);
      expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
      expect(answer.body).toEqual(
        problem(slug, status, expect.any(String), {
          instance: `/fail/${how}`,
          ...(outcome === undefined ? {} : { outcome }),
        }),
      );
      expect(answer.headers.get('retry-after')).toBe(retryAfter);
      expect(JSON.stringify(answer.body)).not.toContain('secret');
    },
  );

  it("translates Nest's own exceptions by their status", async () => {
    expect((await ask('/fail/bad')).body).toEqual(
      problem('invalid-request', 400, 'The request is not valid', {
        detail: 'not like this',
        instance: '/fail/bad',
      }),
    );
    expect((await ask('/fail/forbidden')).status).toBe(403);
  });

  it('answers a bug in naming a problem as the bug it is', async () => {
    const { status, body } = await ask('/fail/unknownSlug');
    expect([status, body['type']]).toEqual([500, '/problems/internal-error']);
    expect(served.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        path: '/fail/unknownSlug',
        problem: 'no-such-problem',
        err: expect.objectContaining({ type: 'ProblemException' }),
      }),
    );
  });

  it('logs a failure once with its cause, and a refusal not at all', async () => {
    const failuresLogged = () => served.lines.filter(({ msg }) => msg === 'a request failed');
    const before = failuresLogged().length;
    await ask('/fail/bug', { headers: { 'x-correlation-id': 'look-for-me' } });
    await ask('/fail/funds');
    const logged = failuresLogged().slice(before);
    expect(logged).toEqual([
      expect.objectContaining({
        level: 'error',
        service: 'test',
        problem: 'internal-error',
        method: 'GET',
        path: '/fail/bug',
        correlationId: 'look-for-me',
        err: expect.objectContaining({ type: 'TypeError', message: 'secret is not a function' }),
      }),
    ]);
  });

  it('logs a refusal that the tables foresee once, however often it is met, and without a stack', async () => {
    const loggedOf = (code: string) => served.lines.filter((line) => line['code'] === code);
    for (let request = 0; request < 5; request++) await ask('/fail/poisoned');
    expect(loggedOf('WAL_POISONED')).toEqual([
      expect.objectContaining({ level: 'warn', reason: 'poisoned', problem: expect.any(String) }),
    ]);
    expect(loggedOf('WAL_POISONED')[0]).not.toHaveProperty('err');
    expect(served.lines.filter(({ err, path }) => err && path === '/fail/poisoned')).toEqual([]);
  });

  it('breaks off an answer that fails half-way, and leaves one alone that was complete', async () => {
    const half = await fetch(`${served.url}/fail/after/half`);
    expect(half.status).toBe(200);
    await expect(half.text()).rejects.toThrow('terminated');
    const whole = await fetch(`${served.url}/fail/after/whole`);
    expect(await whole.text()).toBe('whole');
    const failed = () =>
      served.lines.flatMap(({ err, path }) =>
        err !== undefined && String(path).startsWith('/fail/after/') ? [path] : [],
      );
    while (failed().length < 2) await setTimeout(1);
    expect(failed()).toEqual(['/fail/after/half', '/fail/after/whole']);
  });

  it.each([
    ['GET', '/nowhere'],
    ['GET', '/v1/books'],
  ])('answers %s %s, which nobody serves, with not-found', async (method, path) => {
    const { status, type, body } = await ask(path, { method });
    expect([status, type]).toEqual([404, 'application/problem+json']);
    expect(body).toEqual(
      problem('not-found', 404, 'There is nothing at this address', {
        detail: `Cannot ${method} ${path}`,
        instance: path,
      }),
    );
  });

  it('explains every problem at its type', async () => {
    const { body } = await ask('/problems/insufficient-funds');
    expect(body).toEqual(problem('insufficient-funds', 422, 'Insufficient funds'));
    expect((await ask('/problems')).body).toEqual(
      expect.arrayContaining([problem('too-large', 413, 'The request is too large')]),
    );
    expect((await ask('/problems/none')).status).toBe(404);
  });
});

describe('malformed requests', () => {
  const good = { legs: [{ accountId: 'a' }] };
  const path = '/v1/books/transfers';

  it.each<[string, string | object, [part: string, pointer: string, detail: string][]]>([
    [
      'an unknown field',
      { ...good, memo: 1 },
      [['body', '/memo', 'property memo should not exist']],
    ],
    [
      'an unknown nested field',
      { legs: [{ accountId: 'a', x: 1 }] },
      [['body', '/legs/0/x', 'property x should not exist']],
    ],
    [
      'lists for objects',
      { legs: [[]] },
      [['body', '/legs', 'each value in legs must be an object']],
    ],
    [
      'null for what may be absent',
      { ...good, version: null },
      [
        ['body', '/version', 'version must not be greater than 3'],
        ['body', '/version', 'version must not be less than 1'],
        ['body', '/version', 'version must be an integer number'],
      ],
    ],
    [
      'a text for a number',
      { ...good, version: '1' },
      [
        ['body', '/version', 'version must not be greater than 3'],
        ['body', '/version', 'version must not be less than 1'],
        ['body', '/version', 'version must be an integer number'],
      ],
    ],
    ['a list for the document', [good], [['body', '', 'must be an object']]],
    ['null for the document', 'null', [['body', '', 'must be an object']]],
    ['no document', '', [['body', '', 'must be an object']]],
    [
      'a name twice',
      '{"legs":[],"legs":[{"accountId":"a"}]}',
      [['body', '/legs', 'the name appears twice in one object']],
    ],
    [
      'a name twice, once escaped and nested',
      '{"legs":[{"accountId":"a","account\\u0049d":"b"}]}',
      [['body', '/legs/0/accountId', 'the name appears twice in one object']],
    ],
    [
      '__proto__',
      '{"__proto__":{}}',
      [['body', '/__proto__', 'the name __proto__ is not allowed']],
    ],
    [
      'constructor',
      '{"constructor":1,"legs":[{"accountId":"a"}]}',
      [['body', '/constructor', 'property constructor should not exist']],
    ],
    [
      'the name of a method',
      { ...good, legCount: 1 },
      [['body', '/legCount', 'property legCount should not exist']],
    ],
    [
      'deep nesting',
      '['.repeat(100_000),
      [['body', '', 'the document is nested more than 32 deep']],
    ],
  ])('refuses %s', async (_name, body, errors) => {
    const answer = await post(path, body);
    expect([answer.status, answer.type]).toEqual([400, 'application/problem+json']);
    expect(answer.body).toEqual(invalid(path, ...errors));
  });

  it.each(['{', '{"legs":[}', "{'legs':1}", 'legs=1', '{"legs":NaN}', '{}{}'])(
    'refuses what is not JSON: %s',
    async (body) => {
      const answer = await post(path, body);
      expect(answer.status).toBe(400);
      expect(answer.body['errors']).toEqual([
        { in: 'body', pointer: '', detail: expect.stringMatching(/^the document is not JSON: /) },
      ]);
    },
  );

  it('refuses bytes that are not UTF-8', async () => {
    const answer = await post(path, Buffer.from([0x22, 0xff, 0x22]));
    expect(answer.body).toEqual(invalid(path, ['body', '', 'the document is not UTF-8']));
  });

  it('tells at most a hundred errors', async () => {
    const fields = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, 1]));
    expect((await post(path, fields)).body['errors']).toHaveLength(100);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/problem+json',
    'application/merge-patch+json',
    'application/jsonp',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'nonsense',
  ])('takes no body of media type %s', async (mediaType) => {
    const answer = await post(path, good, { 'content-type': mediaType });
    expect([answer.status, answer.body['type']]).toEqual([415, '/problems/unsupported-media-type']);
  });

  it('takes no body without a media type, and none that is compressed', async () => {
    const untyped = await ask(path, { method: 'POST', body: new Uint8Array(Buffer.from('{}')) });
    expect(untyped.status).toBe(415);
    expect((await post(path, good, { 'content-encoding': 'gzip' })).body).toMatchObject({
      type: '/problems/unsupported-media-type',
      detail: 'the content encoding gzip is not supported',
    });
  });

  it.each([
    'application/json; charset=utf-8',
    'application/JSON;charset="UTF-8"',
    'Application/Json',
  ])('takes JSON however it is spelled: %s', async (mediaType) => {
    expect((await post(path, good, { 'content-type': mediaType })).status).toBe(201);
  });

  it('takes 512 KiB and not a byte more', async () => {
    const fill = (bytes: number) => `{"legs":[{"accountId":"${'a'.repeat(bytes - 27)}"}]}`;
    const limit = ORDINARY_BODY_BYTES_MAX;
    expect((await post(path, fill(limit))).status).toBe(400);
    const { status, type, body } = await post(path, fill(limit + 1));
    expect([status, type, body['type']]).toEqual([
      413,
      'application/problem+json',
      '/problems/too-large',
    ]);
  });

  it('stops reading a body of undeclared length at the limit', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024).fill(0x20)),
    });
    const request = fetch(served.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: endless,
      duplex: 'half',
    });
    // The server answers and closes while the client is still sending, so the client may see either.
    const status = await request.then((response) => response.status).catch(() => 'cut off');
    expect([413, 'cut off']).toContain(status);
  });

  it.each([
    ['limit=0', '/limit', 'limit must be a whole number from 1 to 1000'],
    ['limit=1001', '/limit', 'limit must be a whole number from 1 to 1000'],
    ['limit=', '/limit', 'limit must be a whole number from 1 to 1000'],
    ['limit=0x10', '/limit', 'limit must be a whole number from 1 to 1000'],
    ['limit=5&limit=6', '/limit', 'limit must be a whole number from 1 to 1000'],
    ['pageSize=5', '/pageSize', 'property pageSize should not exist'],
    ['__proto__=5', '/__proto__', 'property __proto__ should not exist'],
    ['Limit=5', '/Limit', 'property Limit should not exist'],
  ])('refuses the query ?%s', async (query, pointer, detail) => {
    expect((await ask(`${path}?${query}`)).body).toEqual(invalid(path, ['query', pointer, detail]));
  });

  it('takes query parameters as the texts they are', async () => {
    expect((await ask(path)).body).toEqual({ pageSize: 50, cursor: null });
    expect((await ask(`${path}?limit=1000&cursor=x`)).body).toEqual({
      pageSize: 1000,
      cursor: 'x',
    });
  });

  it('refuses query parameters on a route that declares none: ?dryrun must not be ignored', async () => {
    expect((await post('/v1/books/transfers?dryrun=true', good)).body).toEqual(
      invalid(path, ['query', '/dryrun', 'dryrun is not a parameter of this resource']),
    );
    expect((await post('/v1/books/void', '')).status).toBe(201);
  });

  it.each([
    ['that is not allowed', 'BOOKS', 400, 'invalid-request'],
    ['that is too long', 'a'.repeat(201), 400, 'invalid-request'],
    ['that is too long for the router', 'a'.repeat(3000), 404, 'not-found'],
    ['that cannot be decoded', '%zz', 400, 'invalid-request'],
    ['that is not UTF-8', '%ff', 400, 'invalid-request'],
    ['with an encoded slash', 'a%2Fb', 400, 'invalid-request'],
    ['that is empty', '', 404, 'not-found'],
  ])('refuses a name in the path %s', async (_name, name, status, slug) => {
    const answer = await ask(`/v1/${name}/transfers`);
    expect([answer.status, answer.type, answer.body['type']]).toEqual([
      status,
      'application/problem+json',
      `/problems/${slug}`,
    ]);
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['GARBAGE\r\n\r\n', 400, 'invalid-request'],
    [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
  ])('answers what is not HTTP with a problem too', async (bytes, status, slug) => {
    const { port } = new URL(served.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
    expect(head).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} [^]*content-type: application/problem\\+json`),
    );
    expect(JSON.parse(body)).toMatchObject({ type: `/problems/${slug}`, status });
  });

  it.each(['/fail/after/half', '/fail/promise/late'])(
    'never answers what is not HTTP in place of the request before it: %s',
    async (path) => {
      const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\nGARBAGE\r\n\r\n`);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).not.toContain('HTTP/1.1 400');
    },
  );
});

describe('correlation ids', () => {
  it.each(['order-17', 'a/b:c@d+e=f._'])('takes %s over from the client', async (id) => {
    const { headers } = await ask('/problems', { headers: { 'x-correlation-id': id } });
    expect(headers.get('x-correlation-id')).toBe(id);
  });

  it.each(['has space', 'ü', '"', 'x'.repeat(129), ''])('replaces %p', async (id) => {
    const { headers } = await ask('/problems', { headers: { 'x-correlation-id': id } });
    expect(headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });
});

describe('observation', () => {
  it('writes one line per request', async () => {
    // A service of its own: a request of another test may still write its line.
    const { url, application, lines } = await serve(TestModule, {});
    try {
      await fetch(`${url}/v1/books/transfers`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-correlation-id': 'one-line',
          'idempotency-key': 'k-1',
        },
        body: JSON.stringify({ legs: [{ accountId: 'a' }] }),
      });
      await fetch(`${url}/nowhere?x=1`);
      while (lines.length < 2) await setTimeout(1);
      expect(lines).toEqual([
        {
          level: 'info',
          time: expect.stringMatching(/^[0-9-]+T[0-9:.]+Z$/),
          service: 'test',
          method: 'POST',
          route: '/v1/:ledger/transfers',
          path: '/v1/books/transfers',
          status: 201,
          durationMicros: expect.any(Number),
          correlationId: 'one-line',
          key: 'k-1',
        },
        expect.objectContaining({ route: 'none', path: '/nowhere', status: 404 }),
      ]);
    } finally {
      await application.stop(0);
    }
  });

  it('measures durations by route and not by address, and serves process figures', async () => {
    await ask('/v1/mybooks/transfers');
    await ask('/v1/yourbooks/transfers');
    const response = await fetch(`${served.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toMatch(
      /^holdfast_http_request_seconds_count\{method="GET",route="\/v1\/:ledger\/transfers",status="200"\} [0-9]+$/m,
    );
    expect(text).not.toContain('mybooks');
    expect(text).toMatch(/^holdfast_http_requests_in_flight 1$/m);
    expect(text).toMatch(/^process_resident_memory_bytes /m);
  });

  it('makes no ETag of its own', async () => {
    expect((await ask('/problems')).headers.has('etag')).toBe(false);
  });
});

it('is told to be stopping when it is stopped', async () => {
  const { application } = await serve(TestModule);
  expect(application.lifecycle.unavailableBecause).toBeUndefined();
  await application.stop(0);
  expect(application.lifecycle.unavailableBecause).toBe('the service is stopping');
  expect(application.lifecycle.stopping.aborted).toBe(true);
});

describe('an upload that its client breaks off', () => {
  it('is no fault of the service', async () => {
    const { url, application, lines } = await serve(TestModule, {});
    try {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write(
        'POST /v1/books/transfers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"legs"',
      );
      await setTimeout(50);
      socket.destroy();
      while (!lines.some(({ aborted }) => aborted === true)) await setTimeout(1);
      await setTimeout(20);
      expect(lines.map(({ level }) => level)).toEqual(['info']);
    } finally {
      await application.stop(0);
    }
  });
});

it.each(['/v1/books/transfers', '/nothing', '/%', '/health/live', '/fail/bug'])(
  'keeps %s out of caches and from being taken for something else',
  async (path) => {
    const { headers } = await fetch(`${served.url}${path}`);
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual([
      'no-store',
      'nosniff',
    ]);
  },
);

it.each([
  ['DELETE', '/v1/books/transfers', 'GET, HEAD, POST'],
  ['GET', '/v1/books/void', 'POST'],
  ['PATCH', '/v1/a%2Fb/transfers?limit=1', 'GET, HEAD, POST'],
  ['OPTIONS', '/health/live', 'GET, HEAD'],
])('says which methods %s %s could have had', async (method, path, allow) => {
  const response = await fetch(`${served.url}${path}`, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  expect(await response.json()).toMatchObject({ type: '/problems/method-not-allowed' });
});
