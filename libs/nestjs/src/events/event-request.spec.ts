import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../http/exchange.js';
import { eventsRequestOf } from './event-request.js';

function requested(query: string, headers: Exchange['request']['headers'] = {}) {
  return eventsRequestOf({
    request: { method: 'GET', path: '/events', headers, body: undefined },
    query: new URLSearchParams(query),
    response: { statusCode: 200 },
    client: '',
    outgoing: new ServerResponse(new IncomingMessage(new Socket())),
  });
}

describe('what a request for events asks for', () => {
  it.each([
    [undefined, 'page'],
    ['*/*', 'page'],
    ['application/*', 'page'],
    ['application/problem+json, application/json', 'page'],
    ['text/event-stream', 'live'],
    ['text/event-stream, */*;q=0.1', 'live'],
    ['application/json;q=0.5, application/x-ndjson', 'lines'],
    ['application/jsonl', 'lines'],
    ['TEXT/*', 'live'],
    ['application/json;q=0, */*', 'lines'],
  ])('is, for Accept: %s, %s', (accept, format) => {
    expect(requested('', { accept }).format).toBe(format);
  });

  it.each(['text/html', '', 'application/json;q=0', 'application/json;q=x'])(
    'is nothing that there is, for Accept: %p',
    (accept) => {
      const refused = expect.objectContaining({ slug: 'not-acceptable' });
      expect(() => requested('', { accept })).toThrow(refused);
    },
  );

  it('begins where a client that comes back has been, whatever its address says', () => {
    expect(requested('after=a', { 'last-event-id': 'b' }).after).toEqual({
      ...{ token: 'b', name: 'Last-Event-ID' },
    });
    expect(requested('after=a', { 'last-event-id': '' }).after?.token).toBe('a');
    expect(requested('').after).toBeUndefined();
  });

  it('has types with commas, and tags that may have some', () => {
    expect(requested('type=A,B&type=C&tag=a,b&tag=c').filter).toEqual({
      types: ['A', 'B', 'C'],
      tags: ['a,b', 'c'],
    });
  });
});
