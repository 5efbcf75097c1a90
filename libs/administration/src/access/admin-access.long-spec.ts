import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TestAdminService } from '../testing/admin-service.js';
import { AdminAccess, type AdminToken } from './admin-access.js';

const TOKEN = 'correct-horse-battery-staple';
const of = ({
  host = '127.0.0.1',
  ...access
}: Partial<AdminToken & { readonly host: string }>): AdminAccess =>
  AdminAccess.of({ host, access: { token: '', tokenFile: '', ...access } });
const codeOf = (make: () => unknown): unknown => {
  try {
    make();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('access to the admin API', () => {
  it.each(['0.0.0.0', '::', '10.0.0.7', 'localhost.example.org', '128.0.0.1'])(
    'needs a token to listen on %s',
    (host) => {
      expect(codeOf(() => of({ host }))).toBe('ADMIN_TOKEN_MISSING');
      expect(codeOf(() => of({ host, token: TOKEN }))).toBeUndefined();
    },
  );

  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('needs none on %s', (host) => {
    expect(codeOf(() => of({ host }))).toBeUndefined();
  });

  it.each(['short', 'with a space in the middle', 'ünderstandable-but-not-ascii'])(
    'refuses %p as a token',
    (token) => {
      expect(codeOf(() => of({ token }))).toBe('ADMIN_TOKEN_INVALID');
    },
  );

  it('takes the first line of a file for the token, and refuses a file that is not there or empty', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-token-'));
    const tokenFile = join(directory, 'token');
    expect(codeOf(() => of({ tokenFile }))).toBe('ADMIN_TOKEN_INVALID');
    writeFileSync(tokenFile, '\n');
    expect(codeOf(() => of({ tokenFile }))).toBe('ADMIN_TOKEN_INVALID');
    writeFileSync(tokenFile, `${TOKEN}\nanother line\n`);
    const access = of({ tokenFile });
    expect(access.check({ headers: { authorization: `Bearer ${TOKEN}` } })).toBe('granted');
    rmSync(directory, { recursive: true });
  });

  it.each([
    [undefined],
    [''],
    [TOKEN],
    [`Basic ${TOKEN}`],
    [`Bearer ${TOKEN}x`],
    [`Bearer ${TOKEN.slice(1)}`],
    ['Bearer '],
  ])('with a token, refuses the header %p', (authorization) => {
    const headers = {
      host: '127.0.0.1:7404',
      ...(authorization !== undefined && { authorization }),
    };
    expect(of({ token: TOKEN }).check({ headers })).toBe('unauthorized');
  });

  it.each([
    [{ host: '127.0.0.1:7404' }, 'granted'],
    [{ host: 'localhost' }, 'granted'],
    [{ host: '[::1]:7404' }, 'granted'],
    [{ host: 'rebound.example.org:7404' }, 'forbidden'],
    [{ host: '127.0.0.1:7404', origin: 'https://example.org' }, 'forbidden'],
    [{ host: '127.0.0.1:7404', origin: 'null' }, 'forbidden'],
    [{ host: '127.0.0.1:7404', 'sec-fetch-site': 'cross-site' }, 'forbidden'],
    [{ host: '127.0.0.1:7404', 'sec-fetch-site': 'none' }, 'granted'],
    [{}, 'forbidden'],
  ])('without a token, answers %j with %s', (headers, answer) => {
    expect(of({}).check({ headers })).toBe(answer);
  });
});

describe('the served admin API', () => {
  let service: TestAdminService;
  afterEach(() => service.stop());

  it('answers nothing but its liveness without the token', async () => {
    service = await TestAdminService.start({ token: TOKEN });
    for (const [method, path] of [
      ['GET', '/admin/log'],
      ['GET', '/admin/jobs'],
      ['POST', '/admin/log/verify'],
      ['GET', '/health/ready'],
      ['GET', '/metrics'],
    ] as const) {
      const { status, headers, body } = await service.send(method, path);
      expect([path, status, body['type']]).toEqual([path, 401, '/problems/unauthorized']);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect((await service.send('GET', '/health/live')).status).toBe(200);
    const authorization = `Bearer ${TOKEN}`;
    const { status } = await service.send('GET', '/admin/log', undefined, { authorization });
    expect(status).toBe(200);
  });

  it('is of no use to a web page', async () => {
    service = await TestAdminService.start();
    const { status, body } = await service.send('POST', '/admin/log/verify', undefined, {
      origin: 'https://example.org',
    });
    expect([status, body['type']]).toEqual([403, '/problems/forbidden']);
    expect(service.operations.jobs.list()).toEqual([]);
  });
});
