import { type PlacedLog, encodePosition, placeIn } from '@holdfast/commands/reading';
import type { Position, RecordedEvent } from '@holdfast/event-store';
import type { ThreadShare } from './thread-share.js';

/** What a service shows of an event, beside its position and id. A public format: members are added, and never change. */
export interface ShownEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** How a service shows an event. A pure function: whoever reads an event twice reads the same. */
export type ShowsEvent = (event: RecordedEvent) => ShownEvent;

/** The event as it was recorded, in its present version. Its metadata is nobody's: who sent the command, and under which key. */
export function eventAsRecorded(event: RecordedEvent): ShownEvent {
  const { type, stream, version, recordedAtMillis, data } = event;
  return { type, stream, version, recordedAt: new Date(recordedAtMillis).toISOString(), data };
}

/** What it takes to make texts of what was read. */
export interface ReadingContext {
  readonly log: PlacedLog;
  readonly shows: ShowsEvent;
  readonly share: ThreadShare;
}

export function positionToken(log: PlacedLog, position: Position): string {
  return encodePosition(placeIn(log, position));
}

export interface EventText {
  readonly type: string;
  /** What a client goes on after. */
  readonly position: string;
  /** One line of JSON. */
  readonly json: string;
}

export function eventText(event: RecordedEvent, log: PlacedLog, shows: ShowsEvent): EventText {
  const shown = shows(event);
  const position = positionToken(log, event.position);
  const json = JSON.stringify({ position, id: event.id, ...shown });
  return { type: shown.type, position, json };
}

export function asLine({ json }: EventText): string {
  return `${json}\n`;
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function asMessage({ type, position, json }: EventText): string {
  // A field ends with its line, so a type with a line break cannot be one: such an event has it in its data alone.
  const event = /[\r\n]/.test(type) ? '' : `event: ${type}\n`;
  return `id: ${position}\n${event}data: ${json}\n\n`;
}

/** How long a client waits before it comes back: not all of them at once, when all of them were sent away at once. */
export function retryMessage(random: () => number = Math.random): string {
  return `retry: ${Math.round(1_000 + 2_000 * random())}\n\n`;
}

/** A comment keeps the connection open. The id without data tells where to go on, and is no event. */
export function heartbeatMessage(position: string): string {
  return `:\nid: ${position}\n\n`;
}
