import type { Position, RecordedEvent, StreamVersion } from '@holdfast/event-store';
import { describe, expect, it } from '@jest/globals';
import {
  asLine,
  asMessage,
  eventAsRecorded,
  eventText,
  heartbeatMessage,
  retryMessage,
} from './event-text.js';
import { ThreadShare } from './thread-share.js';

const log = {
  logId: '3f7a52a9c1d24c0d8b6f3a1e5d7c9b20',
  durablePosition: 7 as Position,
  newestTimeline: '5e0a1b2c3d4e5f60',
  timelineAt: () => '5e0a1b2c3d4e5f60',
};
const event: RecordedEvent = {
  position: 1 as Position,
  stream: 'room/blue',
  version: 3 as StreamVersion,
  id: '0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10',
  type: 'RoomBooked',
  schemaVersion: 1,
  recordedAtMillis: Date.UTC(2026, 10, 28),
  tags: ['key:secret'],
  metadata: { key: 'secret' },
  data: { guest: 'Ann\nLee\u2028' },
  endsCommit: true,
};

/** A public format: what is here never changes, but for members that are added at the end. */
describe('an event as text', () => {
  const text = eventText(event, log, eventAsRecorded);
  const json =
    '{"position":"AkDt2VoTYfW4AAAAAAABXgobLD1OX2DbQfz-","id":"0192f0c1-7b3a-7cc1-8a51-5d2c0b7e9f10","type":"RoomBooked","stream":"room/blue","version":3,"recordedAt":"2026-11-28T00:00:00.000Z","data":{"guest":"Ann\\nLee\u2028"}}';

  it('is one line of JSON', () => expect(asLine(text)).toBe(`${json}\n`));

  it('is a message whose id is the position', () =>
    expect(asMessage(text)).toBe(
      `id: AkDt2VoTYfW4AAAAAAABXgobLD1OX2DbQfz-\nevent: RoomBooked\ndata: ${json}\n\n`,
    ));

  it('has no type of message where that would break its line', () => {
    const odd = eventText({ ...event, type: 'a\nid: x' }, log, eventAsRecorded);
    expect(asMessage(odd)).toMatch(/^id: \S+\ndata: [^\n]*\n\n$/);
  });

  it('is nothing in a heartbeat, which moves a client that comes back', () =>
    expect(heartbeatMessage('token')).toBe(':\nid: token\n\n'));

  it('lets clients come back one after the other', () =>
    expect([0, 1].map((random) => retryMessage(() => random))).toEqual([
      ...['retry: 1000\n\n', 'retry: 3000\n\n'],
    ]));
});

it('streams together take a quarter of their thread, whoever reads', async () => {
  let nowMillis = 0;
  const share = new ThreadShare(
    () => nowMillis,
    (millis) => Promise.resolve((nowMillis += millis)),
  );
  const read = async () => {
    for (let slice = 0; slice < 100; slice++) {
      await share.turn();
      share.spent(1, 0);
    }
  };
  await Promise.all([read(), read()]);
  // 200 slices of which each costs two milliseconds, but for what may be owed.
  expect(nowMillis).toBeGreaterThanOrEqual(200 * 2 * 4 - 50);
});
