import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { DrainingServer } from './draining-server.js';

let server: Server;
let draining: DrainingServer;
let answered = Promise.withResolvers<undefined>();
const sockets: Socket[] = [];

beforeEach(async () => {
  answered = Promise.withResolvers();
  server = createServer((request, response) => {
    request.resume().once('end', () => void answered.promise.then(() => response.end('told')));
  });
  draining = new DrainingServer(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  draining.end();
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function sending(text: string): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  if (text !== '') await new Promise((resolve) => socket.write(text, resolve));
  return socket;
}

async function closing(graceMillis: number | undefined): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  draining.drain(graceMillis);
  await closed;
}

it.each(['', 'POST / HTTP/1.1\r\nHost'])(
  'a connection on which %j was sent does not hold a server up',
  async (text) => {
    const socket = await sending(text);
    const cut = once(socket, 'close');
    await closing(undefined);
    await cut;
  },
);

it('a request on its way is answered, and then its connection and the others are closed', async () => {
  const silent = await sending('');
  const asking = await sending('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(server, 'request');
  const closed = closing(undefined);
  while (server.listening) await new Promise(setImmediate);
  const told = once(asking, 'data');
  const cut = Promise.all([silent, asking].map((socket) => once(socket, 'close')));
  answered.resolve(undefined);
  expect(String(await told)).toContain('told');
  await closed;
  await cut;
});

it('half a request holds it up for as long as the grace lasts', async () => {
  await sending('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
  await once(server, 'request');
  await closing(60);
});
