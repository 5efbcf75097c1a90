import type { EventBatch, Position } from '@holdfast/event-store';
import { BEFORE_FIRST_POSITION } from '@holdfast/event-store/reading';
import type { EventsRequest } from './event-request.js';
import { type ReadingContext, eventText, positionToken } from './event-text.js';

/** A page ends early when it has as much … */
const CHARACTERS_MAX = 1024 * 1024;
/** … or when so many positions were looked at for it. */
const POSITIONS_MAX = 200_000;

export interface EventsPage {
  readonly body: string;
  /** The token after which the next page begins. */
  readonly after: string;
}

/** Events up to now. `more` says that there is more to look at, even where this page is empty. */
export async function pageOf(
  batches: AsyncIterable<EventBatch>,
  { limit, from }: Pick<EventsRequest, 'limit'> & { readonly from: Position | undefined },
  { log, shows, share }: ReadingContext,
): Promise<EventsPage> {
  const begin = from ?? BEFORE_FIRST_POSITION;
  const items: string[] = [];
  let characters = 0;
  let position = begin;
  const isFull = (): boolean => items.length >= limit || characters >= CHARACTERS_MAX;
  for await (const batch of batches) {
    const began = performance.now();
    let isCut = false;
    for (const event of batch.events) {
      isCut = isFull();
      if (isCut) break;
      const { json } = eventText(event, log, shows);
      items.push(json);
      characters += json.length;
      position = event.position;
    }
    share.spent(performance.now() - began, batch.position - position);
    if (!isCut) position = batch.position;
    if (isFull() || position - begin >= POSITIONS_MAX) break;
    await share.turn();
  }
  const after = positionToken(log, position);
  const more = position < log.durablePosition;
  return { body: `{"items":[${items.join(',')}],"after":"${after}","more":${more}}`, after };
}
