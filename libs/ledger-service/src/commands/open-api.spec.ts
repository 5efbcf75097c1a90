import { Body, Controller, Module, Post } from '@nestjs/common';
import { createHttpApplication, createLogger } from '@holdfast/platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { TestCommandService, type TestRequest } from './testing/command-service.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

interface Response {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, Response>>;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
  }[];
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

let service: TestCommandService;
let document: OpenApi;
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

beforeAll(async () => {
  service = await TestCommandService.start();
  await openWorld(service);
  document = JSON.parse((await service.send('GET', '/openapi.json')).text) as OpenApi;
  ajv.addSchema({ $id: 'api', components: document.components });
});
afterAll(() => service.stopAndRemove());

function validatorOf(schema: object): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
  return ajv.compile(JSON.parse(text) as object);
}

/** Sends a request and holds the answer to what the document says of it. */
async function expectDocumented(
  method: string,
  template: string,
  status: number,
  request: TestRequest & { readonly path: string },
): Promise<void> {
  const { path, ...rest } = request;
  const operation = document.paths[template]?.[method.toLowerCase()];
  const reply = await service.send(method, path, rest);
  expect([path, reply.status, reply.text]).toEqual([path, status, expect.any(String)]);
  const response = operation?.responses[String(status)];
  const mediaType = reply.headers.get('content-type')?.split(';')[0] ?? '';
  const schema = response?.content?.[mediaType]?.schema;
  if (schema === undefined)
    throw new Error(`${method} ${template} ${status} ${mediaType} is not documented`);
  const validate = validatorOf(schema);
  expect([validate(reply.body), validate.errors]).toEqual([true, null]);
  if (status < 300)
    for (const name of ['location', 'etag', 'holdfast-position', 'idempotency-replayed'])
      if (reply.headers.has(name))
        expect(Object.keys(response?.headers ?? {}).map((key) => key.toLowerCase())).toContain(
          name,
        );
  if (request.body !== undefined && status < 300) {
    const requestSchema = operation?.requestBody?.content['application/json']?.schema ?? {};
    const validateRequest = validatorOf(requestSchema);
    expect([validateRequest(request.body), validateRequest.errors]).toEqual([true, null]);
  }
}

describe('the OpenAPI document', () => {
  it('is of version 3.1 and has every command', () => {
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'GET /v1/ledgers/{ledger}/commands/{key}',
      'GET /v1/ledgers/{ledger}/events',
      'PATCH /v1/ledgers/{ledger}/accounts/{account}',
      'PATCH /v1/ledgers/{ledger}/transfers/{transfer}/metadata',
      'POST /v1/ledgers/{ledger}/accounts',
      'POST /v1/ledgers/{ledger}/bulk',
      'POST /v1/ledgers/{ledger}/transfers',
      'PUT /v1/ledgers/{ledger}',
      'PUT /v1/ledgers/{ledger}/accounts/{account}/status',
      'PUT /v1/ledgers/{ledger}/assets/{asset}',
    ]);
  });

  it('says which header fields a command needs', () => {
    const headersOf = (path: string, method: string) =>
      document.paths[`/v1/ledgers/{ledger}${path}`]?.[method]?.parameters
        ?.filter((parameter) => parameter.in === 'header')
        .map(({ name, required }) => [name, required]);
    expect(headersOf('', 'put')).toEqual([['Idempotency-Key', false]]);
    expect(headersOf('/transfers', 'post')).toEqual([['Idempotency-Key', true]]);
    expect(headersOf('/accounts/{account}/status', 'put')).toEqual(
      expect.arrayContaining([
        ['Idempotency-Key', true],
        ['If-Match', true],
      ]),
    );
  });

  it('is right about what is answered to every command, good or bad', async () => {
    const root = '/v1/ledgers/{ledger}';
    const accounts = `${root}/accounts`;
    const account = `${accounts}/{account}`;
    const transfers = `${root}/transfers`;
    const posted = await service.send('POST', `${LEDGER}/transfers`, {
      key: 'p',
      body: transfer('world', 'bob', '1'),
    });
    const transferPath = `${LEDGER}/transfers/${String(posted.body['id'])}/metadata`;
    const match = { headers: { 'if-match': '"1"' } };
    const item = (key: string, amount: string) => ({
      type: 'PostTransfer',
      idempotencyKey: key,
      body: transfer('alice', 'bob', amount),
    });
    const open = {
      asset: 'EUR',
      normalSide: 'debit',
      floor: null,
      ceiling: null,
      metadata: { a: 'b' },
    };

    await expectDocumented('PUT', root, 201, { path: '/v1/ledgers/x' });
    await expectDocumented('PUT', root, 200, { path: '/v1/ledgers/x' });
    await expectDocumented('PUT', root, 400, { path: '/v1/ledgers/-' });
    await expectDocumented('PUT', `${root}/assets/{asset}`, 201, {
      path: `${LEDGER}/assets/JPY`,
      body: { scale: 0 },
    });
    await expectDocumented('PUT', `${root}/assets/{asset}`, 200, {
      path: `${LEDGER}/assets/JPY`,
      body: { scale: 0 },
    });
    await expectDocumented('PUT', `${root}/assets/{asset}`, 409, {
      path: `${LEDGER}/assets/JPY`,
      body: { scale: 1 },
    });
    await expectDocumented('POST', accounts, 201, {
      path: `${LEDGER}/accounts`,
      key: 'o1',
      body: open,
    });
    await expectDocumented('POST', accounts, 200, {
      path: `${LEDGER}/accounts?dryRun=true`,
      body: open,
    });
    await expectDocumented('POST', accounts, 404, {
      path: `${LEDGER}/accounts`,
      key: 'o2',
      body: { ...open, asset: 'X' },
    });
    await expectDocumented('POST', accounts, 415, {
      path: `${LEDGER}/accounts`,
      key: 'o3',
      text: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    await expectDocumented('PATCH', account, 200, {
      path: `${LEDGER}/accounts/bob`,
      key: 'c1',
      ...match,
      body: { ceiling: '9', metadata: { a: null, b: 'c' } },
    });
    await expectDocumented('PATCH', account, 412, {
      path: `${LEDGER}/accounts/bob`,
      key: 'c2',
      ...match,
      body: { ceiling: null },
    });
    await expectDocumented('PUT', `${account}/status`, 428, {
      path: `${LEDGER}/accounts/bob/status`,
      key: 's1',
      body: { status: 'frozen' },
    });
    await expectDocumented('PUT', `${account}/status`, 200, {
      path: `${LEDGER}/accounts/world/status`,
      key: 's2',
      ...match,
      body: { status: 'active' },
    });
    await expectDocumented('POST', transfers, 201, {
      path: `${LEDGER}/transfers`,
      key: 't1',
      body: transfer('alice', 'bob', '1', { reference: 'r', effectiveAt: '2024-01-01T00:00:00Z' }),
    });
    await expectDocumented('POST', transfers, 201, {
      path: `${LEDGER}/transfers`,
      key: 't1',
      body: transfer('alice', 'bob', '1', { reference: 'r', effectiveAt: '2024-01-01T00:00:00Z' }),
    });
    await expectDocumented('POST', transfers, 422, {
      path: `${LEDGER}/transfers`,
      key: 't2',
      body: transfer('alice', 'bob', '99999'),
    });
    await expectDocumented('POST', transfers, 409, {
      path: `${LEDGER}/transfers`,
      key: 't3',
      body: transfer('alice', 'bob', '1', { reference: 'r' }),
    });
    await expectDocumented('POST', transfers, 400, {
      path: `${LEDGER}/transfers`,
      body: transfer('alice', 'bob', '1'),
    });
    await expectDocumented('POST', transfers, 400, {
      path: `${LEDGER}/transfers`,
      key: 't4',
      body: { legs: [1] },
    });
    await expectDocumented('PATCH', `${transfers}/{transfer}/metadata`, 200, {
      path: transferPath,
      key: 'm1',
      ...match,
      body: { metadata: { a: '1', b: null } },
    });
    await expectDocumented('POST', `${root}/bulk`, 200, {
      path: `${LEDGER}/bulk`,
      body: {
        commands: [
          item('b1', '1'),
          item('b2', '99999'),
          {
            type: 'OpenAccount',
            idempotencyKey: 'b3',
            body: { asset: 'EUR', normalSide: 'debit' },
          },
        ],
      },
    });
    await expectDocumented('POST', `${root}/bulk`, 413, {
      path: `${LEDGER}/bulk`,
      text: ' '.repeat(4 * 1024 * 1024 + 1),
    });
    await expectDocumented('GET', `${root}/commands/{key}`, 200, { path: `${LEDGER}/commands/t1` });
    await expectDocumented('GET', `${root}/commands/{key}`, 200, { path: `${LEDGER}/commands/t2` });
    await expectDocumented('GET', `${root}/commands/{key}`, 404, {
      path: `${LEDGER}/commands/none`,
    });
  });

  it('is shown at /docs', async () => {
    const page = await fetch(`${service.url}/docs`);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
  });
});

describe('a handler whose body is no class at run time', () => {
  it('keeps the application from starting, instead of letting everything pass', async () => {
    @Controller('v1/unchecked')
    class UncheckedController {
      @Post()
      post(@Body() body: object): object {
        return body;
      }
    }
    @Module({ controllers: [UncheckedController] })
    class UncheckedModule {}
    await expect(
      createHttpApplication(UncheckedModule, {
        logger: createLogger({ service: 'test', level: 'silent' }),
      }),
    ).rejects.toThrow('UncheckedController.post, @Body would not be validated: its type is Object');
  });
});
