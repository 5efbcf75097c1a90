import { expect, it } from '@jest/globals';
import { connectionOf } from './connection-of.js';

it.each([
  ['nats://127.0.0.1', { servers: ['127.0.0.1:4222'] }],
  ['nats://a:5000,nats://b', { servers: ['a:5000', 'b:4222'] }],
  ['nats://me:s%40fe@a', { servers: ['a:4222'], user: 'me', pass: 's@fe' }],
  ['tls://token@a', { servers: ['a:4222'], token: 'token', tls: {} }],
  ['nats://[::1]:4223', { servers: ['[::1]:4223'] }],
])('reads %s', (address, options) => {
  expect(connectionOf(address)).toEqual(options);
});

it('refuses what is no address', () => {
  expect(() => connectionOf('nowhere')).toThrow('Invalid URL');
});
