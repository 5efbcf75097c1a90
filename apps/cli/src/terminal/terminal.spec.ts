import { PassThrough, Writable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { Terminal } from './terminal.js';

/** As a pipe whose reader has gone. */
const closed = () =>
  new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) =>
      setImmediate(done, Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });

it('lets the work go on whose result nobody reads any more, also one that waits for room', async () => {
  const terminal = new Terminal(closed(), new PassThrough());
  expect(terminal.isRead).toBe(true);
  await terminal.line('the first line waits until it is found that nobody reads');
  expect(terminal.isRead).toBe(false);
  await terminal.line('more');
  await terminal.json({ more: true });
});

it('does not fail for messages that nobody reads', async () => {
  const messages = closed();
  const terminal = new Terminal(new PassThrough(), messages);
  terminal.note('a sentence');
  await new Promise((gone) => messages.once('close', gone));
  terminal.note('another');
  expect(terminal.isRead).toBe(true);
});
