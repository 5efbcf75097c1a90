import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GrpcFeed } from './grpc-feed.js';
import { type FeedSecurityFiles, feedClientSecurity, feedServerSecurity } from './feed-security.js';
import { hasOpenssl, makeCertificates } from '../testing/certificates.js';
import { freePort, serveFeed } from '../testing/feed-server.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

const NOTHING: FeedSecurityFiles = {
  ...{ token: '', tokenFile: '', keyFile: '', certificateFile: '', authorityFile: '' },
};
const INVALID = expect.objectContaining({ code: 'FEED_SECURITY_INVALID' });

describe('how a feed is secured by files', () => {
  let directory: string;
  const file = (name: string, content: string | Buffer) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-feed-security-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is plain text without a token where nothing is given', () => {
    expect(feedServerSecurity(NOTHING)).toEqual({});
    expect(feedClientSecurity(NOTHING)).toEqual({});
  });

  it('takes the first line of the file of a token, whatever stands beside it', () => {
    const tokenFile = file('token', 'a-token-that-is-long\r\nnot this\n');
    const files = { ...NOTHING, token: 'another-token-of-use', tokenFile };
    expect(feedServerSecurity(files)).toEqual({ token: 'a-token-that-is-long' });
    expect(feedClientSecurity(files)).toEqual({ token: 'a-token-that-is-long' });
  });

  it.each<[string, () => Partial<FeedSecurityFiles>]>([
    ['an empty token file', () => ({ tokenFile: file('empty', '') })],
    ['a token file that is not there', () => ({ tokenFile: join(directory, 'none') })],
    ['a token too short', () => ({ tokenFile: file('short', 'fifteen-letters') })],
    ['a key alone', () => ({ keyFile: file('key', 'x') })],
    ['a certificate alone', () => ({ certificateFile: file('certificate', 'x') })],
    ['a key that is none', () => ({ keyFile: file('a', 'x'), certificateFile: file('b', 'x') })],
    ['an authority that is not there', () => ({ authorityFile: join(directory, 'none') })],
  ])('refuses %s at both ends', (_, files) => {
    expect(() => feedClientSecurity({ ...NOTHING, ...files() })).toThrow(INVALID);
    expect(() => feedServerSecurity({ ...NOTHING, ...files() })).toThrow(INVALID);
  });

  (hasOpenssl() ? describe : describe.skip)('with certificates (needs openssl)', () => {
    let server: FeedSecurityFiles;
    let client: FeedSecurityFiles;

    beforeAll(() => {
      const made = makeCertificates();
      const authorityFile = file('ca.crt', made.authority);
      const of = (name: 'server' | 'client') => ({
        ...NOTHING,
        authorityFile,
        keyFile: file(`${name}.key`, made[name].privateKey),
        certificateFile: file(`${name}.crt`, made[name].certificateChain),
      });
      server = { ...of('server'), token: 'the-token-of-the-feed' };
      client = { ...of('client'), token: 'the-token-of-the-feed' };
    });

    it('refuses a key of another certificate, and a server that has only an authority', () => {
      const mixed = { ...server, keyFile: client.keyFile };
      expect(() => feedServerSecurity(mixed)).toThrow(INVALID);
      const { authorityFile } = server;
      expect(() => feedServerSecurity({ ...NOTHING, authorityFile })).toThrow(INVALID);
    });

    it.each([
      ['serves a client with a certificate and the token', () => client, undefined],
      ['refuses one without the token', () => ({ ...client, token: '' }), 'FEED_REFUSED'],
      [
        'does not hear one without a certificate',
        () => ({ ...client, keyFile: '', certificateFile: '' }),
        'FEED_UNAVAILABLE',
      ],
    ])('%s', async (_, files, code) => {
      const source = new MemoryEventSource();
      source.commit([{}]);
      const { token = '', tls } = feedServerSecurity(server);
      const url = `127.0.0.1:${await freePort()}`;
      const served = await serveFeed(source, url, { token, ...(tls && { tls }) });
      const feed = new GrpcFeed({ url, ...feedClientSecurity(files()), silenceMillis: 5_000 });
      const { signal } = new AbortController();
      const first = feed.open({ from: undefined, signal })[Symbol.asyncIterator]().next();
      if (code === undefined) expect((await first).value).toMatchObject({ head: 1 });
      else await expect(first).rejects.toMatchObject({ code });
      await feed.close();
      await served.close();
    });
  });
});
