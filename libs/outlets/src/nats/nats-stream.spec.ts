import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type NatsMessage, NatsStream } from './nats-stream.js';

describe('messages for a stream', () => {
  /** A server that acknowledges when it is told to, behind a client that refuses what is too large by itself. */
  const streamWith = (inFlightMax: number) => {
    const acknowledge: (() => void)[] = [];
    const published: string[] = [];
    const publish = (subject: string) => {
      published.push(subject);
      if (subject === 'large')
        return Promise.reject(new Error("'payload' max_payload size exceeded"));
      const seq = published.length;
      return new Promise((resolve) => acknowledge.push(() => resolve({ seq })));
    };
    const options = { connection: {}, stream: 'events', ackMillis: 1, inFlightMax };
    const stream = Reflect.construct(NatsStream, [
      options,
      {},
      { publish },
      {},
      0,
      1,
    ]) as NatsStream;
    return { stream, published, acknowledge: () => acknowledge.splice(0).forEach((one) => one()) };
  };
  const messages = (...subjects: readonly string[]): NatsMessage[] =>
    subjects.map((subject, at) => ({ subject, id: `log:${at + 1}:id`, headers: {}, body: '' }));

  it('are refused without ending the process while those before are under way', async () => {
    const { stream, published } = streamWith(3);
    // Never ends. The runner of the tests fails this one if a rejection has no listener at its end.
    void stream.publish(messages('a', 'large', 'b', 'c'));
    await nextTurn();
    expect(published).toEqual(['a', 'large', 'b']);
  });

  it('are refused by name, and none is published after it is known', async () => {
    const { stream, published, acknowledge } = streamWith(3);
    const publishing = stream.publish(messages('a', 'b', 'large', 'c', 'large'));
    await nextTurn();
    acknowledge();
    await expect(publishing).rejects.toMatchObject({
      code: 'OUTLET_NATS_TOO_LARGE',
      message: expect.stringContaining('log:3:id'),
    });
    expect(published).toEqual(['a', 'b', 'large']);
    expect(stream.lastSequence).toBe(0);
  });
});
