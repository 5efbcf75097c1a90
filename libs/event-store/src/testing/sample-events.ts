import { randomUUID } from 'node:crypto';
import type { NewEvent, Position, RecordedEvent, StreamVersion } from '../event.js';
import type {
  Commit,
  EventBatch,
  EventSource,
  ExpectedVersion,
  ReadAllOptions,
} from '../event-log.js';

/** A small event; `number` is its data, to tell it by. */
export function sampleEvent(number: number, fields: Partial<NewEvent> = {}): NewEvent {
  return { id: randomUUID(), type: 'Counted', schemaVersion: 1, data: { number }, ...fields };
}

export function sampleEvents(count: number, fields: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, (_, index) => sampleEvent(index + 1, fields));
}

/** A commit of one append. */
export function oneAppend(
  stream: string,
  events: readonly NewEvent[],
  expectedVersion: ExpectedVersion | number = 'any',
): Commit {
  return {
    appends: [{ stream, expectedVersion: expectedVersion as ExpectedVersion, events }],
  };
}

export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function allEvents(
  source: EventSource,
  options?: ReadAllOptions,
): Promise<RecordedEvent[]> {
  return (await allBatches(source, options)).flatMap(({ events }) => events);
}

export function allBatches(source: EventSource, options?: ReadAllOptions): Promise<EventBatch[]> {
  return collected(source.readAll(options));
}

export function positionsOf(events: readonly RecordedEvent[]): number[] {
  return events.map(({ position }) => position);
}

export const position = (value: number): Position => value as Position;
export const version = (value: number): StreamVersion => value as StreamVersion;
