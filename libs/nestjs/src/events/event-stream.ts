import type { EventBatch, RecordedEvent } from '@holdfast/event-store';
import type { EventsRequest } from './event-request.js';
import {
  type ReadingContext,
  asLine,
  asMessage,
  eventText,
  heartbeatMessage,
  positionToken,
  retryMessage,
} from './event-text.js';

/** What is handed on at once. */
const PORTION_CHARACTERS = 64 * 1024;

export interface StreamContext extends ReadingContext {
  readonly heartbeatMillis: number;
}

/** Events as text, in portions: a line for each, or messages of a live stream. Nothing is read before what there is has been taken. */
export async function* streamOf(
  batches: AsyncIterable<EventBatch>,
  { format, limit }: Pick<EventsRequest, 'format' | 'limit'>,
  context: StreamContext,
): AsyncGenerator<string, void> {
  const { log, share, heartbeatMillis } = context;
  const isLive = format === 'live';
  if (isLive) yield retryMessage();
  let left = limit;
  let saidAt = performance.now();
  let examined: number | undefined;
  for await (const { events, position } of batches) {
    let began = performance.now();
    for (const portion of portionsOf(events.slice(0, left), isLive, context)) {
      share.spent(performance.now() - began, 0);
      yield portion;
      began = saidAt = performance.now();
    }
    left -= events.length;
    if (left <= 0) return;
    share.spent(0, position - (examined ?? position));
    examined = position;
    if (isLive && events.length === 0 && performance.now() - saidAt >= heartbeatMillis / 2) {
      yield heartbeatMessage(positionToken(log, position));
      saidAt = performance.now();
    }
    await share.turn();
  }
}

function* portionsOf(
  events: readonly RecordedEvent[],
  isLive: boolean,
  { log, shows }: ReadingContext,
): Generator<string, void> {
  const format = isLive ? asMessage : asLine;
  let portion = '';
  for (const event of events) {
    portion += format(eventText(event, log, shows));
    if (portion.length < PORTION_CHARACTERS) continue;
    yield portion;
    portion = '';
  }
  if (portion !== '') yield portion;
}
