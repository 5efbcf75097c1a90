import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { once } from 'node:events';
import { Agent, type IncomingMessage, type Server, request } from 'node:http';
import { EventStore, Executes } from '../index.js';
import { type ParcelService, startParcels } from '../testing/parcel-service.js';
import { parcel } from '../testing/parcels.js';
import { TestEventStore } from '../testing/test-event-store.js';

let arrived = Promise.withResolvers<undefined>();
let released = Promise.withResolvers<undefined>();

@Controller('slow')
class SlowController {
  @Post()
  @Executes(parcel)
  async send() {
    await this.hold();
    return parcel.command('SendParcel', { parcel: 'a', town: 'Bern', grams: 1 });
  }

  @Get()
  async hold() {
    arrived.resolve(undefined);
    await released.promise;
    return 'held';
  }
}
@Module({ controllers: [SlowController] })
class SlowModule {}

let store: TestEventStore;
let service: ParcelService;
let agent: Agent;
beforeEach(async () => {
  arrived = Promise.withResolvers();
  released = Promise.withResolvers();
  agent = new Agent({ keepAlive: true });
  store = new TestEventStore();
  service = await startParcels(store.options, [SlowModule]);
});
afterEach(async () => {
  agent.destroy();
  await service.application.close();
  store.remove();
});

/** The client keeps its connection. */
async function sent(method: string): Promise<IncomingMessage> {
  const url = `${await service.application.getUrl()}/slow`;
  const asking = request(url, { method, agent, headers: { 'idempotency-key': '1' } }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  return response;
}

it.each([
  ['a command', 'POST', 201, 'close'],
  ['a request of another kind', 'GET', 200, 'keep-alive'],
])(
  'a stop waits for %s that is on its way, and not for its connection',
  async (_, method, status, connection) => {
    const answer = sent(method);
    await arrived.promise;
    const closed = service.application.close();
    // The server has looked for idle connections by now.
    const server = service.application.getHttpServer() as Server;
    while (server.listening) await new Promise(setImmediate);
    released.resolve(undefined);
    const { statusCode, headers } = await answer;
    expect({ statusCode, connection: headers.connection }).toEqual({
      statusCode: status,
      connection,
    });
    await closed;
  },
);

it('a service that stops takes no new command', async () => {
  const events = service.application.get(EventStore);
  events.beginStop();
  const body = { town: 'Bern', grams: 1 };
  const answer = await service.ask('POST', 'parcels/a', { key: '1', body });
  expect(answer).toMatchObject({
    status: 503,
    body: { type: '/problems/service-stopping', outcome: 'not-applied' },
  });
  expect(answer.headers.get('connection')).toBe('close');
  expect(Number(events.writer.log.lastPosition)).toBe(0);
});
