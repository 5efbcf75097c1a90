import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeedBatch } from '../event-feed.js';
import type { GrpcFeedTls } from './grpc-channel.js';
import { GrpcFeed } from './grpc-feed.js';
import { type Certificates, hasOpenssl, makeCertificates } from '../testing/certificates.js';
import { type FeedServer, freePort, serveFeed } from '../testing/feed-server.js';
import { MemoryEventSource } from '../testing/memory-event-source.js';

(hasOpenssl() ? describe : describe.skip)('the gRPC feed under TLS (needs openssl)', () => {
  let certificates: Certificates;
  let server: FeedServer;

  beforeAll(async () => {
    certificates = makeCertificates();
    const source = new MemoryEventSource();
    source.commit([{}]);
    server = await serveFeed(source, `127.0.0.1:${await freePort()}`, {
      tls: { ...certificates.server, rootCertificates: certificates.authority },
    });
  });

  afterAll(() => server.close());

  const firstBatch = async (tls?: GrpcFeedTls): Promise<FeedBatch | undefined> => {
    const feed = new GrpcFeed({ url: server.url, ...(tls && { tls }), silenceMillis: 2_000 });
    const { signal } = new AbortController();
    try {
      for await (const batch of feed.open({ from: undefined, signal })) return batch;
      return undefined;
    } finally {
      await feed.close();
    }
  };

  it('serves a client that the authority vouches for', async () => {
    const tls = { ...certificates.client, rootCertificates: certificates.authority };
    expect(await firstBatch(tls)).toMatchObject({ events: [{ position: 1 }] });
  });

  it.each([
    ['without a certificate', () => ({ rootCertificates: certificates.authority })],
    ['that does not know the authority', () => ({ ...certificates.client })],
    ['in plain text', () => undefined],
  ])('does not serve a client %s', async (_, tls) => {
    await expect(firstBatch(tls())).rejects.toMatchObject({ code: 'FEED_UNAVAILABLE' });
  });
});
