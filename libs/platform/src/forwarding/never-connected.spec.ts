import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { Pool } from 'undici';
import { neverConnected } from './never-connected.js';

async function errorOf(origin: string): Promise<unknown> {
  const pool = new Pool(origin, { connectTimeout: 1_000 });
  try {
    return await pool.request({ method: 'POST', path: '/', body: 'a payment' }).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await pool.destroy();
  }
}

const failed = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

it('says so of an address that nobody listens at, and of a name that nobody has', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  expect(neverConnected(await errorOf(`http://127.0.0.1:${port}`))).toBe(true);
  expect(neverConnected(await errorOf('http://nobody.invalid'))).toBe(true);
});

it('says no of a connection that was made and then broke', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  expect(neverConnected(await errorOf(`http://127.0.0.1:${port}`))).toBe(false);
  await new Promise((closed) => server.close(closed));
});

it.each(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])('goes by the call that met %s', (code) => {
  expect(neverConnected(failed(code, 'connect'))).toBe(true);
  expect(neverConnected(failed(code, 'read'))).toBe(false);
  expect(neverConnected(failed(code, 'write'))).toBe(false);
  const one = failed(code, 'connect');
  expect(neverConnected(new AggregateError([one, one]))).toBe(true);
  expect(neverConnected(new AggregateError([one, failed(code, 'read')]))).toBe(false);
});

it('says no of what it does not know', () => {
  for (const error of [undefined, 'refused', new Error('refused'), new AggregateError([])])
    expect(neverConnected(error)).toBe(false);
});
