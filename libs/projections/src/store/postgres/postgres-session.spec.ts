import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { PostgresSession, placeOf } from './postgres-session.js';

const AUTHENTICATED = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I');

let server: Server;
let received: string;
let ended: Promise<unknown>;

/** Lets everybody in, and never answers again. */
beforeEach(async () => {
  received = '';
  server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(AUTHENTICATED);
      socket.on('data', (data) => (received += data.toString()));
    });
    ended = once(socket, 'close');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  server.close();
});

it('a session whose statement has no answer is lost, and nothing is sent behind it', async () => {
  const { port } = server.address() as AddressInfo;
  const url = `postgres://holdfast@127.0.0.1:${port}/books`;
  const pool = PostgresSession.pooled({ url }, { connectionsMax: 1, answerMillisMax: 20 });
  const asked = pool.with((session) => session.transaction(() => session.run('SELECT 1')));
  await expect(asked).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
  const within = pool.with(async (session) => {
    try {
      return await session.runAll('SELECT 2; SELECT 3', 10);
    } finally {
      await session.rollback();
    }
  });
  await expect(within).rejects.toMatchObject({ code: 'READ_MODEL_UNAVAILABLE' });
  await ended;
  expect(received.match(/BEGIN|SELECT|ROLLBACK/g)).toEqual(['BEGIN', 'SELECT', 'SELECT']);
  await pool.close();
});

it.each([
  'postgres://holdfast:2024/Secret@db.example/books',
  'postgres://holdfast:2024?Secret@db.example/books',
  'postgres://holdfast:2024#Secret@db.example/books',
  'postgres://holdfast:a@b/Secret@db.example/books',
])('a URL whose password could be taken for a place has none: %s', (url) => {
  expect(() => placeOf({ url })).toThrow(/^what follows a "@" has no "\/" before it$/);
});

it('a password is no part of a place', () => {
  const url = 'postgres://holdfast:2024%2FSecret@db.example:7/books?sslmode=disable';
  expect(placeOf({ url })).toBe('postgres://db.example:7/books (schema holdfast)');
});
