import type { EventFilter } from '@holdfast/event-store';
import { invalidHeader } from '../http/command-headers.js';
import type { Exchange } from '../http/exchange.js';
import { ProblemException } from '../http/problem.exception.js';

/** A page; what there is by now, a line for each; and what there is and will be. */
export type EventsFormat = 'page' | 'lines' | 'live';

/** In the order of preference, where a client has none. */
const MEDIA_TYPES: Readonly<Record<EventsFormat, readonly string[]>> = {
  page: ['application/json'],
  lines: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
  live: ['text/event-stream'],
};
export const EVENTS_LIMIT_MAX = 1_000;
const EVENTS_LIMIT = 100;
const LIST_MAX = 100;
const LIMIT_PATTERN = /^[1-9][0-9]{0,3}$/;

export interface EventsRequest {
  readonly format: EventsFormat;
  /** A position token as the client gave it, and where. Undefined: from the first event that there ever was. */
  readonly after: { readonly token: string; readonly name: string } | undefined;
  /** The most events in the answer. */
  readonly limit: number;
  readonly filter: EventFilter;
}

/** What a request for events asks for. Throws `invalid-request`, `not-acceptable`. */
export function eventsRequestOf({ request, query }: Exchange): EventsRequest {
  const format = formatOf(request.headers['accept']);
  const limit = limitOf(query);
  return {
    format,
    after: afterOf(request.headers['last-event-id'], query),
    limit: limit ?? (format === 'page' ? EVENTS_LIMIT : Infinity),
    filter: {
      ...listOf(
        'types',
        'type',
        query.getAll('type').flatMap((text) => text.split(',')),
      ),
      // A tag may have a comma in it.
      ...listOf('tags', 'tag', query.getAll('tag')),
    },
  };
}

/** What a client that comes back has seen counts more than where it once began. */
function afterOf(
  lastEventId: string | readonly string[] | undefined,
  query: URLSearchParams,
): EventsRequest['after'] {
  if (typeof lastEventId === 'object')
    throw invalidHeader('Last-Event-ID', 'may be there once only');
  if (lastEventId !== undefined && lastEventId !== '')
    return { token: lastEventId, name: 'Last-Event-ID' };
  const token = query.get('after');
  return token === null ? undefined : { token, name: 'after' };
}

function limitOf(query: URLSearchParams): number | undefined {
  const text = query.get('limit');
  if (text === null) return undefined;
  const limit = LIMIT_PATTERN.test(text) ? Number(text) : Infinity;
  if (limit > EVENTS_LIMIT_MAX)
    throw invalidQuery('limit', `must be a whole number from 1 to ${EVENTS_LIMIT_MAX}`);
  return limit;
}

/** `type=A&type=B` or `type=A,B`: any of them. */
function listOf(member: 'types' | 'tags', name: string, members: readonly string[]): EventFilter {
  if (members.length > LIST_MAX) throw invalidQuery(name, `may name ${LIST_MAX} at most`);
  return members.length === 0 ? {} : { [member]: members };
}

function invalidQuery(name: string, problem: string): ProblemException {
  return new ProblemException('invalid-request', {
    parameters: { errors: [{ in: 'query', pointer: `/${name}`, detail: `${name} ${problem}` }] },
  });
}

/** RFC 9110, 12.5.1: of what we have, what the client likes best. Throws `not-acceptable`. */
function formatOf(accept: string | readonly string[] | undefined): EventsFormat {
  const ranges = rangesOf(typeof accept === 'object' ? accept.join(',') : (accept ?? '*/*'));
  const formats = Object.keys(MEDIA_TYPES) as EventsFormat[];
  let best: { readonly format: EventsFormat; readonly quality: number } | undefined;
  for (const format of formats) {
    const quality = Math.max(...MEDIA_TYPES[format].map((type) => qualityOf(type, ranges)));
    if (quality > (best?.quality ?? 0)) best = { format, quality };
  }
  if (best !== undefined) return best.format;
  throw new ProblemException('not-acceptable', {
    detail: `There are: ${formats.map((format) => MEDIA_TYPES[format][0]).join(', ')}.`,
  });
}

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

function rangesOf(accept: string): MediaRange[] {
  return accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const number = Number(quality ?? 1);
    return { type, quality: number >= 0 && number <= 1 ? number : 0 };
  });
}

/** The range that says most about a type decides. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const patterns = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  for (const pattern of patterns) {
    const found = ranges.find((range) => range.type === pattern);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
