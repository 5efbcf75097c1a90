import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EventStore } from '../index.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { TestEventStore } from '../testing/test-event-store.js';

const JSON_TYPE = 'application/json';
const body = '{"town":"Bern","grams":1}';

interface Server {
  readonly name: string;
  readonly adapter: () => AbstractHttpAdapter;
  readonly bodyParser: boolean;
  /** Parsed, by their names. */
  readonly taken: readonly string[];
}

const BODIES: Readonly<Record<string, { type: string; content: Buffer; encoding?: string }>> = {
  json: { type: JSON_TYPE, content: Buffer.from(body) },
  'json by suffix': { type: 'application/vnd.api+json', content: Buffer.from(body) },
  text: { type: 'text/plain', content: Buffer.from(body) },
  form: { type: 'application/x-www-form-urlencoded', content: Buffer.from('grams=1') },
  zipped: { type: JSON_TYPE, content: gzipSync(body), encoding: 'gzip' },
};

const SERVERS: readonly Server[] = [
  {
    name: 'Fastify',
    adapter: () => new FastifyAdapter(),
    bodyParser: true,
    taken: ['json'],
  },
  {
    name: 'Express',
    adapter: () => new ExpressAdapter(),
    bodyParser: true,
    taken: ['json', 'zipped'],
  },
  {
    name: 'Express without a parser',
    adapter: () => new ExpressAdapter(),
    bodyParser: false,
    taken: [],
  },
];

describe.each(SERVERS)('a body of a command on $name', ({ adapter, bodyParser, taken }) => {
  const store = new TestEventStore();
  let service: ParcelService;
  beforeAll(async () => {
    service = await startParcels(store.options, [], adapter(), bodyParser);
  });
  afterAll(async () => {
    await service.application.close();
    store.remove();
  });
  const send = async (key: string, content: Buffer, type: string, encoding?: string) =>
    fetch(`${await service.application.getUrl()}/parcels/${key.replaceAll(' ', '-')}`, {
      method: 'POST',
      headers: {
        'idempotency-key': key.replaceAll(' ', '-'),
        'content-type': type,
        ...(encoding !== undefined && { 'content-encoding': encoding }),
      },
      body: new Uint8Array(content),
    });
  const last = () => service.application.get(EventStore).writer.log.lastPosition;

  it.each(Object.keys(BODIES))(
    'that is %s is in the command and in the hash, or it is refused',
    async (name) => {
      const { type, content, encoding } = BODIES[name]!;
      const before = Number(last());
      const { status } = await send(name, content, type, encoding);
      const isTaken = taken.includes(name);
      expect(isTaken ? status === 201 : [400, 415].includes(status)).toBe(true);
      expect(Number(last()) - before).toBe(isTaken ? 1 : 0);
      if (!isTaken) return;
      const other = Buffer.from(body.replace('1', '2'));
      expect((await send(name, other, JSON_TYPE)).status).toBe(422);
    },
  );

  it('that was not sent is none', async () => {
    await send('sent', Buffer.from(body), JSON_TYPE);
    const answer = await service.ask('POST', 'parcels/json/weight', { key: 'weigh' });
    expect(answer.status).not.toBe(415);
  });
});
