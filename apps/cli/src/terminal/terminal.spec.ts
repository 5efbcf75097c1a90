import { PassThrough, Writable } from 'node:stream';
import { expect, it, jest } from '@jest/globals';
import { Terminal } from './terminal.js';

const failing = (code: string) =>
  new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) =>
      setImmediate(done, Object.assign(new Error(`${code}: no write`), { code })),
  });

/** As a pipe whose reader has gone. */
const closed = () => failing('EPIPE');

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

it('says that a result cannot be written, once, and lets the work go on to its end', async () => {
  const messages = new PassThrough();
  const onLost = jest.fn();
  const terminal = new Terminal(failing('ENOSPC'), messages, undefined, onLost);
  await terminal.line('{"posted":1}');
  await terminal.line('more');
  expect(onLost).toHaveBeenCalledTimes(1);
  expect(String(messages.read())).toBe('holdfast: ENOSPC: no write: the result is not written\n');
});

it('does not fail for messages that cannot be written', async () => {
  const messages = failing('ENOSPC');
  const terminal = new Terminal(new PassThrough(), messages);
  terminal.note('a sentence');
  await new Promise((gone) => messages.once('close', gone));
  terminal.note('another');
});
