import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { TestAdminService } from '@holdfast/administration/testing';
import { TestLedgerService } from '../queries/testing/ledger-service.js';
import { lintOpenApi } from './lint-open-api.js';
import {
  type ExampleRequest,
  type OpenApiDocument,
  exampleRequests,
  sampleOf,
} from './open-api-operations.js';

let service: TestLedgerService;
let text: string;
let document: OpenApiDocument;

beforeAll(async () => {
  service = await TestLedgerService.start();
  service.follow();
  text = await (await fetch(`${service.url}/openapi.json`)).text();
  document = JSON.parse(text) as OpenApiDocument;
});
afterAll(() => service.stopAndRemove());

describe('the OpenAPI document of the ledger', () => {
  it('keeps the recommended rules of redocly', async () => {
    expect(await lintOpenApi(text)).toEqual([]);
  });

  it('shows no value that its own schema refuses', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'api', components: document.components });
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      const resolved = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
      const validate = ajv.compile(JSON.parse(resolved) as object);
      for (const [property, described] of Object.entries(schema.properties ?? {})) {
        if (described.example === undefined) continue;
        validate({ [property]: described.example });
        const refused = validate.errors?.filter(({ keyword }) => keyword !== 'required') ?? [];
        expect([name, property, refused]).toEqual([name, property, []]);
      }
    }
  });

  it('has reads and writes of a resource under one tag, in the order in which they are needed', () => {
    const names = document.tags.map(({ name }) => name);
    expect(names).toEqual([
      'ledgers',
      'assets',
      'accounts',
      'transfers',
      'reports',
      'bulk',
      'commands',
      'events',
    ]);
    const tagged = Object.entries(document.paths).map(([path, operations]) => {
      const tags = new Set(Object.values(operations).flatMap(({ tags: own = [] }) => own));
      expect([path, tags.size]).toEqual([path, 1]);
      return names.indexOf([...tags][0] ?? '');
    });
    expect(tagged).toEqual(tagged.toSorted((one, other) => one - other));
    expect(Object.keys(document.paths)[0]).toBe('/v1/ledgers/{ledger}');
    expect(Object.keys(document.paths['/v1/ledgers/{ledger}/accounts'] ?? {})).toEqual([
      'post',
      'get',
    ]);
  });

  it('says where it is served, and that no authentication is asked for', () => {
    expect(document.servers).toEqual([expect.objectContaining({ url: '/' })]);
    expect(document.security).toEqual([]);
  });

  it('shows only requests that are answered as it says, one after the other, and rehearsals of them', async () => {
    const made = new Map<string, string>();
    let position = '';
    const answered = new Set<string>();
    for (const request of exampleRequests(document, (name) => made.get(name))) {
      const { name, method, path, headers, body, operation } = request;
      const { schema } = operation.requestBody?.content['application/json'] ?? {};
      const operationName = name.replace(/ \(.*/, '');
      if (schema !== undefined && !answered.has(operationName))
        await expectRehearsed({ ...request, body: sampleOf(schema, document) as object });
      if (method !== 'GET') await expectRehearsed(request);
      const reads = operation.parameters?.some(({ name: query }) => query === 'minPosition');
      const url = new URL(path, service.url);
      if (reads === true) url.searchParams.set('minPosition', position);
      const reply = await service.send<Answer>(method, `${url.pathname}${url.search}`, {
        headers: { ...headers, prefer: 'wait=5' },
        ...(body && { body }),
      });
      const status = '201' in operation.responses ? 201 : 200;
      expect([name, reply.status, reply.body]).toEqual([name, status, expect.any(Object)]);
      expect([name, reply.body.items]).not.toEqual([name, []]);
      for (const item of reply.body.results ?? []) expect([name, item.status]).toEqual([name, 201]);
      position = reply.headers.get('holdfast-position') ?? position;
      if (name.endsWith('/transfers (payment)')) made.set('transfer', reply.body.id ?? '');
      answered.add(operationName);
    }
    const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
    expect(answered.size).toBe(operations.length);
  });
});

describe('the OpenAPI document of the admin API', () => {
  it.each([
    ['without a token', {}, []],
    ['with one', { token: 'correct-horse-battery-staple' }, [{ token: [] }]],
  ])('keeps the same rules, and says who may ask: %s', async (_what, options, security) => {
    const admin = await TestAdminService.start(options);
    const served = await (await fetch(`${admin.url}/openapi.json`)).text();
    await admin.stop();
    expect((JSON.parse(served) as OpenApiDocument).security).toEqual(security);
    expect(await lintOpenApi(served)).toEqual([]);
  });
});

interface Answer {
  readonly id?: string;
  readonly items?: readonly unknown[];
  readonly results?: readonly { readonly status: number }[];
}

/** A dry run is answered as the document says: no header field is promised that does not come, and the one that comes is told of. */
async function expectRehearsed({
  name,
  method,
  path,
  headers,
  body,
  operation,
}: ExampleRequest): Promise<void> {
  const reply = await service.send(method, `${path}?dryRun=true`, {
    headers,
    ...(body && { body }),
  });
  expect([name, reply.status, reply.body]).toEqual([name, 200, expect.any(Object)]);
  expect(reply.headers.get('holdfast-dry-run')).toBe('true');
  const promised = Object.keys(operation.responses['200']?.headers ?? {});
  expect(promised).toContain('Holdfast-Dry-Run');
  const { description = '' } = operation.responses['200'] ?? {};
  if (description.startsWith('A dry run')) expect(promised).toEqual(['Holdfast-Dry-Run']);
}
