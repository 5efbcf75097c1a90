import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestCommandService, type TestRequest } from './testing/command-service.js';
import { LEDGER, openWorld, transfer } from './testing/world.js';

let service: TestCommandService;

beforeAll(async () => {
  service = await TestCommandService.start();
  await openWorld(service);
});
afterAll(() => service.stopAndRemove());

const INVALID = 'invalid-request';
const TRANSFER_ID = '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10';

/** What differs from a good request of the endpoint, and the problem it must be answered with. */
type Malformed = TestRequest & { readonly path?: string; readonly problem?: string };

interface Endpoint {
  readonly method: string;
  readonly path: string;
  /** A good request, from which each malformed one differs. */
  readonly good: TestRequest;
  readonly malformed: Readonly<Record<string, Malformed>>;
}

/** What goes wrong at any endpoint with a key and a body. */
const anyCommand: Readonly<Record<string, Malformed>> = {
  'no idempotency key': { problem: 'idempotency-key-missing' },
  'an idempotency key with a space': { key: 'a b' },
  'an idempotency key that is too long': { key: 'k'.repeat(256) },
  'an empty quoted idempotency key': { key: '""' },
  'an unknown query parameter': { path: '?dryrun=true' },
  'a dry run that is neither true nor false': { path: '?dryRun=1' },
  'a dry run given twice': { path: '?dryRun=true&dryRun=false' },
};

const anyBody: Readonly<Record<string, Malformed>> = {
  'no body': { text: '' },
  'a body that is no JSON': { text: '{"legs":' },
  'a body that is a list': { body: [] },
  'a body that is null': { text: 'null' },
  'a body that is text': { text: '"text"' },
  'an unknown member': { text: '{"colour":"red"}' },
  'a name given twice': { text: '{"asset":"EUR","asset":"EUR"}' },
  'a member called __proto__': { text: '{"__proto__":{}}' },
  'half of a surrogate pair': { text: '{"reference":"\\ud800"}' },
  'a body nested too deep': { text: '['.repeat(40) + ']'.repeat(40) },
  'another media type': {
    text: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    problem: 'unsupported-media-type',
  },
  'plain text': {
    text: '{}',
    headers: { 'content-type': 'text/plain' },
    problem: 'unsupported-media-type',
  },
};

/** Where no version is compared. */
const preconditions: Readonly<Record<string, Malformed>> = {
  'an If-Match': { headers: { 'if-match': '"1"' } },
  'an If-Match for anything': { headers: { 'if-match': '*' } },
  'an If-None-Match': { headers: { 'if-none-match': '*' } },
  'an If-Unmodified-Since': { headers: { 'if-unmodified-since': 'Fri, 27 Nov 2026 15:00:00 GMT' } },
};

const badAccount = (field: object) => ({ body: { asset: 'EUR', normalSide: 'credit', ...field } });
const badTransfer = (field: object) => ({ body: transfer('world', 'bob', '1', field) });
const badLeg = (field: object) => ({
  body: {
    legs: [
      { accountId: 'world', side: 'debit', amount: '1', ...field },
      { accountId: 'bob', side: 'credit', amount: '1' },
    ],
  },
});
const leg = { accountId: 'world', side: 'debit', amount: '1' };
const manyKeys = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']));

const badIfMatch: Readonly<Record<string, Malformed>> = {
  'a weak If-Match': { headers: { 'if-match': 'W/"1"' } },
  'an If-Match without quotes': { headers: { 'if-match': '1' } },
  'a list in If-Match': { headers: { 'if-match': '"1", "2"' } },
  'an If-Match that no resource has': { headers: { 'if-match': '"abc"' } },
};

const badPatch: Readonly<Record<string, Malformed>> = {
  'metadata that is null': { body: { metadata: null } },
  'metadata that is a list': { body: { metadata: [] } },
  'metadata of a number': { body: { metadata: { a: 1 } } },
  'a metadata key that is too long': { body: { metadata: { ['k'.repeat(41)]: 'v' } } },
  'a metadata text that is too long': { body: { metadata: { a: 'v'.repeat(501) } } },
  'too many metadata keys': { body: { metadata: manyKeys } },
};

const endpoints: readonly Endpoint[] = [
  {
    method: 'PUT',
    path: '/v1/ledgers/new',
    good: { body: {} },
    malformed: {
      ...preconditions,
      'a name with a space': { path: '/v1/ledgers/a%20b' },
      'a name with a slash': { path: '/v1/ledgers/a%2Fb' },
      'a name that starts with a dot': { path: '/v1/ledgers/.a' },
      'a name that is too long': { path: `/v1/ledgers/${'a'.repeat(65)}` },
      'a name that is not ASCII': { path: '/v1/ledgers/caf%C3%A9' },
      'an unknown query parameter': { path: '?force=true' },
      'a dry run that is neither true nor false': { path: '?dryRun=yes' },
      'an unknown member': { body: { id: 'new' } },
      'a list': { body: [] },
      'a body that is no JSON': { text: '{' },
      'a bad idempotency key': { key: 'a b' },
      'another media type': {
        text: '{}',
        headers: { 'content-type': 'application/xml' },
        problem: 'unsupported-media-type',
      },
    },
  },
  {
    method: 'PUT',
    path: `${LEDGER}/assets/CHF`,
    good: { body: { scale: 2 } },
    malformed: {
      ...anyBody,
      ...preconditions,
      'a code in lower case': { path: `${LEDGER}/assets/chf` },
      'a code that is too long': { path: `${LEDGER}/assets/${'A'.repeat(18)}` },
      'a scale below zero': { body: { scale: -1 } },
      'a scale above 18': { body: { scale: 19 } },
      'a scale that is text': { body: { scale: '2' } },
      'a scale with a fraction': { body: { scale: 1.5 } },
      'a scale that is almost 2': { text: '{"scale":1.9999999999999999999}' },
      'a scale that is almost 0': { text: '{"scale":1e-400}' },
      'a scale of minus zero': { text: '{"scale":-0}' },
      'a scale that is null': { body: { scale: null } },
      'no scale': { body: {} },
    },
  },
  {
    method: 'POST',
    path: `${LEDGER}/accounts`,
    good: { key: 'good', body: { asset: 'EUR', normalSide: 'credit' } },
    malformed: {
      ...anyCommand,
      ...anyBody,
      ...preconditions,
      'an id with a slash': badAccount({ id: 'a/b' }),
      'an id that is null': badAccount({ id: null }),
      'an id that is too long': badAccount({ id: 'a'.repeat(129) }),
      'no asset': { body: { normalSide: 'credit' } },
      'no side': { body: { asset: 'EUR' } },
      'a side that is none': badAccount({ normalSide: 'left' }),
      'a floor that is a number': badAccount({ floor: 0 }),
      'a floor with a fraction': badAccount({ floor: '0.5' }),
      'a floor of minus zero': badAccount({ floor: '-0' }),
      'a floor above the ceiling': badAccount({ floor: '2', ceiling: '1' }),
      'a ceiling with a leading zero': badAccount({ ceiling: '01' }),
      'a status': badAccount({ status: 'closed' }),
      'metadata that is a list': badAccount({ metadata: [] }),
      'too many metadata keys': badAccount({ metadata: manyKeys }),
    },
  },
  {
    method: 'PATCH',
    path: `${LEDGER}/accounts/bob`,
    good: { key: 'good', body: { floor: null } },
    malformed: {
      ...anyCommand,
      ...anyBody,
      ...badIfMatch,
      ...badPatch,
      'an id that no account may have': { path: `${LEDGER}/accounts/a%20b` },
      'nothing to change': { body: {} },
      'an asset': { body: { asset: 'EUR' } },
      'a floor that is a number': { body: { floor: 1 } },
      'a floor above the ceiling': { body: { floor: '2', ceiling: '1' } },
    },
  },
  {
    method: 'PUT',
    path: `${LEDGER}/accounts/bob/status`,
    good: { key: 'good', headers: { 'if-match': '"1"' }, body: { status: 'frozen' } },
    malformed: {
      ...anyCommand,
      ...anyBody,
      ...badIfMatch,
      'no If-Match': { headers: {}, problem: 'precondition-required' },
      'an If-Match for anything': {
        headers: { 'if-match': '*' },
        problem: 'precondition-required',
      },
      'a status that is none': { body: { status: 'open' } },
      'a status that is a list': { body: { status: ['frozen'] } },
      'no status': { body: {} },
      'a reason': { body: { status: 'frozen', reason: 'x' } },
    },
  },
  {
    method: 'POST',
    path: `${LEDGER}/transfers`,
    good: { key: 'good', body: transfer('world', 'bob', '1') },
    malformed: {
      ...anyCommand,
      ...anyBody,
      ...preconditions,
      'legs that are lists': { body: { legs: [[], []] } },
      'legs that are null': { body: { legs: null } },
      'legs that are an object': { body: { legs: { 0: leg, 1: leg, length: 2 } } },
      'one leg': { body: { legs: [leg] } },
      '65 legs': { body: { legs: Array.from({ length: 65 }, () => leg) } },
      'an amount that is a number': badLeg({ amount: 1 }),
      'an amount of zero': badLeg({ amount: '0' }),
      'an amount below zero': badLeg({ amount: '-1' }),
      'an amount with a leading zero': badLeg({ amount: '01' }),
      'an amount with a fraction': badLeg({ amount: '1.00' }),
      'an amount with an exponent': badLeg({ amount: '1e3' }),
      'an amount of 37 digits': badLeg({ amount: '1'.repeat(37) }),
      'an amount in other digits': badLeg({ amount: '١' }),
      'an amount that is null': badLeg({ amount: null }),
      'a side that is none': badLeg({ side: 'Debit' }),
      'an account id with a space': badLeg({ accountId: 'a b' }),
      'an expected version that is text': badLeg({ expectedVersion: '1' }),
      'an expected version with a fraction': badLeg({ expectedVersion: 1.5 }),
      'an expected version that no double holds': {
        text: '{"legs":[{"accountId":"a","side":"debit","amount":"1","expectedVersion":9007199254740993},{"accountId":"b","side":"credit","amount":"1"}]}',
      },
      'an expected version that would be rounded': {
        text: '{"legs":[{"accountId":"a","side":"debit","amount":"1","expectedVersion":3.0000000000000000001},{"accountId":"b","side":"credit","amount":"1"}]}',
      },
      'an unknown member of a leg': badLeg({ asset: 'EUR' }),
      'an empty reference': badTransfer({ reference: '' }),
      'a reference that is too long': badTransfer({ reference: 'r'.repeat(129) }),
      'a reference with a line break': badTransfer({ reference: 'a\nb' }),
      'a reference that is null': badTransfer({ reference: null }),
      'a time with an offset': badTransfer({ effectiveAt: '2024-01-01T00:00:00+01:00' }),
      'a day that is none': badTransfer({ effectiveAt: '2023-02-29T00:00:00Z' }),
      'a time that is a number': badTransfer({ effectiveAt: 0 }),
      'metadata of an object': badTransfer({ metadata: { a: {} } }),
    },
  },
  {
    method: 'PATCH',
    path: `${LEDGER}/transfers/${TRANSFER_ID}/metadata`,
    good: { key: 'good', body: { metadata: { a: '1' } } },
    malformed: {
      ...anyCommand,
      ...anyBody,
      ...badIfMatch,
      ...badPatch,
      'an id in upper case': { path: `${LEDGER}/transfers/${TRANSFER_ID.toUpperCase()}/metadata` },
      'an id that is none': { path: `${LEDGER}/transfers/1/metadata` },
      'no metadata': { body: {} },
      'a reference': { body: { metadata: {}, reference: 'r' } },
    },
  },
  {
    method: 'POST',
    path: `${LEDGER}/bulk`,
    good: { body: { commands: [] } },
    malformed: {
      ...anyBody,
      'no commands': { body: { commands: [] } },
      'commands that are an object': { body: { commands: {} } },
      'more than 1,000 commands': { body: { commands: Array.from({ length: 1001 }, () => 1) } },
      'an If-Match': {
        headers: { 'if-match': '"1"' },
        body: { commands: [{ idempotencyKey: 'a' }] },
      },
      'a key used twice': {
        body: {
          commands: [{ idempotencyKey: 'a' }, { idempotencyKey: 'b' }, { idempotencyKey: 'a' }],
        },
      },
      'an atomic bulk, which is not available yet': {
        path: '?atomic=true',
        body: { commands: [{}] },
      },
      'atomic that is neither true nor false': { path: '?atomic=', body: { commands: [{}] } },
      'an unknown query parameter': { path: '?partial=true', body: { commands: [{}] } },
      'more bytes than the limit': {
        text: `{"commands":["${'x'.repeat(4 * 1024 * 1024)}"]}`,
        problem: 'too-large',
      },
    },
  },
  {
    method: 'GET',
    path: `${LEDGER}/commands/key`,
    good: {},
    malformed: {
      'a key with a space': { path: `${LEDGER}/commands/a%20b` },
      'a key with a line break': { path: `${LEDGER}/commands/a%0Ab` },
      'a key that is not ASCII': { path: `${LEDGER}/commands/%C3%A9` },
      'a key that is too long': { path: `${LEDGER}/commands/${'k'.repeat(256)}` },
      'a key far too long': {
        path: `${LEDGER}/commands/${'k'.repeat(3000)}`,
        problem: 'not-found',
      },
      'a key that cannot be decoded': { path: `${LEDGER}/commands/%E0%A4%A` },
      'a ledger with a space': { path: '/v1/ledgers/a%20b/commands/key' },
      'a ledger that starts with a dash': { path: '/v1/ledgers/-a/commands/key' },
      'an unknown query parameter': { path: '?wait=1' },
      'the query of a write': { path: '?dryRun=true' },
    },
  },
];

describe.each(
  endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const),
)('%s', (_name, { method, path, good, malformed }) => {
  const cases = Object.entries(malformed);

  it('has at least ten ways to be wrong', () => expect(cases.length).toBeGreaterThanOrEqual(10));

  it.each(cases)('refuses %s, and leaves no event behind', async (_what, wrong) => {
    const before = service.lastPosition;
    const { path: otherPath = '', problem = INVALID, ...different } = wrong;
    const { body, ...goodButBody } = good;
    const request: TestRequest = {
      ...('text' in different || 'body' in different ? goodButBody : { ...goodButBody, body }),
      ...different,
    };
    const withoutKey = problem === 'idempotency-key-missing';
    const { key, ...keyless } = request;
    const reply = await service.send(
      method,
      otherPath.startsWith('/') ? otherPath : `${path}${otherPath}`,
      withoutKey || key === undefined ? keyless : request,
    );
    expect(reply.body).toMatchObject({
      type: `/problems/${problem}`,
      title: expect.any(String),
      status: reply.status,
    });
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    expect(service.lastPosition).toBe(before);
  });
});

it('says where and what is wrong, with a pointer for each', async () => {
  const reply = await service.send('POST', `${LEDGER}/transfers`, {
    key: 'k',
    body: {
      legs: [
        { ...leg, amount: '0' },
        { ...leg, colour: 'red' },
      ],
      reference: '',
    },
  });
  expect(reply.body).toEqual({
    type: '/problems/invalid-request',
    title: expect.any(String),
    status: 400,
    instance: `${LEDGER}/transfers`,
    errors: [
      { in: 'body', pointer: '/legs/0/amount', detail: expect.stringContaining('1 to 36 digits') },
      { in: 'body', pointer: '/legs/1/colour', detail: 'property colour should not exist' },
      { in: 'body', pointer: '/reference', detail: expect.stringContaining('1 to 128') },
    ],
  });
});

it('answers paths and methods that are none with problems too', async () => {
  for (const [method, path, allow] of [
    ['GET', '/nothing', undefined],
    ['DELETE', `${LEDGER}/accounts/bob`, 'PATCH'],
    ['POST', LEDGER, 'PUT'],
    ['POST', `${LEDGER}/assets/EUR`, 'PUT'],
    ['PUT', `${LEDGER}/accounts`, 'POST'],
    ['POST', `${LEDGER}/accounts/bob/status`, 'PUT'],
    ['PUT', `${LEDGER}/transfers`, 'POST'],
    ['POST', `${LEDGER}/transfers/${TRANSFER_ID}/metadata`, 'PATCH'],
    ['DELETE', `${LEDGER}/bulk`, 'POST'],
    ['POST', `${LEDGER}/commands/key`, 'GET, HEAD'],
  ] as const) {
    const { body, headers } = await service.send(method, path);
    expect([path, headers.get('allow') ?? undefined]).toEqual([path, allow]);
    expect(body).toMatchObject(
      allow === undefined
        ? { type: '/problems/not-found', status: 404 }
        : { type: '/problems/method-not-allowed', status: 405 },
    );
  }
});
