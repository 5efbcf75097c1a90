import type { EventFilter, RecordedEvent } from '@holdfast/event-store';
import type { NodeConnectionOptions } from '@nats-io/transport-node';
import type { Delivery, EndedHistory, Outlet } from '../outlet.js';
import { natsTrouble } from './nats.errors.js';
import { type NatsMessage, NatsStream, type StoredMessage } from './nats-stream.js';
import { SubjectTemplate, headerText } from './subject.js';

/** What a message says of an event: its body, beside the event's `id`. Members that are texts have their places in the subject. */
export interface PublishedEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface NatsOutletOptions {
  /** Default `nats`. */
  readonly name?: string;
  readonly filter?: EventFilter;
  readonly connection: NodeConnectionOptions;
  /** One for this outlet alone, made by its operator: nobody else publishes to it. */
  readonly stream: string;
  /** Default `holdfast.{type}`. `{name}` is the member of that name of what `shows` returns. */
  readonly subject?: string;
  /** Default: type, stream, version, time and data as they were recorded. */
  readonly shows?: (event: RecordedEvent) => PublishedEvent;
  /** How long the server may take to acknowledge. Default 5,000. */
  readonly ackMillis?: number;
  /** The most messages that wait for their acknowledgement. Default 256. */
  readonly inFlightMax?: number;
}

const LOG = 'Holdfast-Log';
const POSITION = 'Holdfast-Position';
const EVENT = 'Holdfast-Event';
const TYPE = 'Holdfast-Type';
const STREAM = 'Holdfast-Stream';
const ENDED = 'Holdfast-Ended';
const MESSAGE_ID = 'Nats-Msg-Id';

/**
 * Publishes each event to a stream of NATS JetStream, once, in the order of the log.
 *
 * Invariant: the stream holds the events up to one position, without gap or duplicate. The server stores a message only right behind the one that this outlet knows as the last
 * (`Nats-Expected-Last-Sequence`), and whoever begins asks the stream which event that is. So it does not matter how long ago, and how many processes tried: `Nats-Msg-Id` alone would
 * hold for the stream's duplicate window, by default two minutes.
 */
export class NatsOutlet implements Outlet {
  readonly name: string;
  readonly filter?: EventFilter;
  private readonly subject: SubjectTemplate;
  private stream: NatsStream | undefined;
  /** The stream's last message, as long as only this outlet has published since. */
  private last: LastMessage | undefined;

  constructor(private readonly options: NatsOutletOptions) {
    this.name = options.name ?? 'nats';
    if (options.filter !== undefined) this.filter = options.filter;
    this.subject = new SubjectTemplate(options.subject ?? 'holdfast.{type}');
  }

  async deliver(
    events: readonly RecordedEvent[],
    signal: AbortSignal,
    delivery: Delivery,
  ): Promise<void> {
    await this.withStream(signal, async (stream) => {
      this.last ??= await lastMessageOf(stream);
      const fresh = await unpublished(stream, this.last, events, delivery);
      const { logId } = delivery;
      const endedAt = endedBehind(stream, this.last);
      await stream.publish(fresh.map((event) => this.messageOf(event, logId, endedAt)));
      const newest = fresh.at(-1);
      if (newest === undefined) return;
      const { position, id: eventId } = newest;
      this.last = { kind: 'ours', logId, position, eventId, endedAt };
    });
  }

  async historyEnded(ended: EndedHistory, signal: AbortSignal): Promise<void> {
    await this.withStream(signal, async (stream) => {
      const notice = this.noticeOf(ended, endedBehind(stream, await lastMessageOf(stream)));
      const last = await stream.messageAt(stream.lastSequence);
      if (last?.header(MESSAGE_ID) !== notice.id) await stream.publish([notice]);
      this.last = undefined;
    });
  }

  async close(): Promise<void> {
    const { stream } = this;
    this.stream = this.last = undefined;
    await stream?.close();
  }

  /** After a failure nothing is known of the stream: whatever was under way may have been stored, or will be. */
  private async withStream(
    signal: AbortSignal,
    work: (stream: NatsStream) => Promise<void>,
  ): Promise<void> {
    const leave = () => void this.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (this.stream?.isOpen !== true) {
        await this.close();
        const { connection, stream, ackMillis = 5_000, inFlightMax = 256 } = this.options;
        this.stream = await NatsStream.open({ connection, stream, ackMillis, inFlightMax });
      }
      await work(this.stream);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private messageOf(event: RecordedEvent, logId: string, endedAt: number): NatsMessage {
    const { position, id, type, stream } = event;
    const shown = (this.options.shows ?? asRecorded)(event);
    return {
      subject: this.subject.filled(shown),
      // The id too: after a restore the position is that of another event.
      id: `${logId}:${position}:${id}`,
      headers: {
        ...{ [LOG]: logId, [POSITION]: String(position), [EVENT]: id },
        ...{ [TYPE]: headerText(type), [STREAM]: headerText(stream) },
        ...endedHeader(endedAt),
      },
      body: JSON.stringify({ id, ...shown }),
    };
  }

  private noticeOf({ previous, next }: EndedHistory, endedAt: number): NatsMessage {
    const type = 'HistoryEnded';
    const named = ({ logId, position, timeline }: EndedHistory['next']) =>
      `${logId}:${timeline}:${position}`;
    return {
      subject: this.subject.filled({ type }),
      id: `${named(previous)}:ended:${named(next)}`,
      headers: {
        ...{ [LOG]: next.logId, [POSITION]: String(next.position), [TYPE]: type },
        ...endedHeader(endedAt),
      },
      body: JSON.stringify({ type, previous, next }),
    };
  }
}

/** What the stream ends with. */
type LastMessage =
  | { readonly kind: 'none' }
  /** It had messages, and has dropped the last: what that was is not known. */
  | { readonly kind: 'dropped' }
  | ({ readonly kind: 'ours' } & Place);

interface Place {
  readonly logId: string;
  readonly position: number;
  /** Empty: it says that a history ended. */
  readonly eventId: string;
  /** The sequence of the newest message before it that says so; 0: there is none. Positions grow from there on. */
  readonly endedAt: number;
}

async function lastMessageOf(stream: NatsStream): Promise<LastMessage> {
  if (stream.lastSequence === 0) return { kind: 'none' };
  const message = await stream.messageAt(stream.lastSequence);
  if (message === undefined) return { kind: 'dropped' };
  return { kind: 'ours', ...placeOf(message) };
}

function placeOf(message: StoredMessage): Place {
  const logId = message.header(LOG);
  if (logId === '') throw foreign();
  return {
    ...{ logId, position: Number(message.header(POSITION)), eventId: message.header(EVENT) },
    endedAt: Number(message.header(ENDED)),
  };
}

/** For what is published behind the last message. */
function endedBehind(stream: NatsStream, last: LastMessage): number {
  if (last.kind !== 'ours') return 0;
  return last.eventId === '' ? stream.lastSequence : last.endedAt;
}

function endedHeader(endedAt: number): Record<string, string> {
  return endedAt === 0 ? {} : { [ENDED]: String(endedAt) };
}

/** Those that the stream does not hold. Throws when it cannot go on behind what it holds. */
async function unpublished(
  stream: NatsStream,
  last: LastMessage,
  events: readonly RecordedEvent[],
  delivery: Delivery,
): Promise<readonly RecordedEvent[]> {
  if (last.kind === 'dropped') return events;
  const { logId, delivered } = delivery;
  const { position } = last.kind === 'none' ? { position: 0 } : last;
  if (last.kind === 'ours' && last.logId !== logId)
    throw natsTrouble(
      'OUTLET_NATS_STREAM_FOREIGN',
      `the stream holds the events of the log ${last.logId}, and this log is ${logId}`,
    );
  if (delivered !== undefined && position < delivered)
    throw natsTrouble(
      'OUTLET_NATS_STREAM_BEHIND',
      `the stream ends with position ${position}, and has acknowledged ${delivered}: the server has lost what it acknowledged, or the stream was made anew`,
    );
  if (last.kind === 'ours') await assertHeld(stream, last, events, delivery);
  return events.filter((event) => event.position > position);
}

/** As far as the stream and this delivery both go, the newest event of the stream is the newest of these, or was delivered before: it is of no history that ended. */
async function assertHeld(
  stream: NatsStream,
  last: LastMessage & { kind: 'ours' },
  events: readonly RecordedEvent[],
  { after, delivered = after, upTo }: Delivery,
): Promise<void> {
  const known = events.findLast(({ position }) => position <= last.position);
  if (known === undefined && last.position <= delivered) return;
  const isWithin = last.eventId !== '' && last.position <= upTo;
  const found = isWithin ? last : await newestUpTo(stream, last, Math.min(last.position, upTo));
  // Everything that the stream still holds comes after it: the limits of the stream have dropped it.
  if (found === undefined) return;
  if (known === undefined ? found.position <= delivered : found.eventId === known.id) return;
  const own = known === undefined ? 'none' : `${known.id} of position ${known.position}`;
  throw natsTrouble(
    'OUTLET_NATS_STREAM_FOREIGN',
    `the stream holds the event ${found.eventId} of position ${found.position} where this log has ${own}: it holds another history, or another filter's events`,
  );
}

/** The newest event up to a position, of the history that goes on. */
async function newestUpTo(
  stream: NatsStream,
  last: LastMessage,
  position: number,
): Promise<Place | undefined> {
  let high = stream.lastSequence;
  let endedAt = endedBehind(stream, last);
  for (;;) {
    const low = Math.max(stream.firstSequence, endedAt + 1);
    const found = await newestBetween(stream, low, high, position);
    if (found !== undefined || endedAt < stream.firstSequence) return found;
    const message = await stream.messageAt(endedAt);
    // Dropped meanwhile from the front.
    if (message === undefined) return undefined;
    const notice = placeOf(message);
    position = Math.min(position, notice.position);
    high = endedAt - 1;
    endedAt = notice.endedAt;
  }
}

/** By halves, where positions grow with sequences. */
async function newestBetween(
  stream: NatsStream,
  low: number,
  high: number,
  position: number,
): Promise<Place | undefined> {
  let newest: Place | undefined;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const message = await stream.messageAt(middle);
    const found = message && placeOf(message);
    if (found !== undefined && found.position > position) high = middle - 1;
    else {
      newest = found ?? newest;
      low = middle + 1;
    }
  }
  return newest;
}

function foreign(): Error {
  return natsTrouble(
    'OUTLET_NATS_STREAM_FOREIGN',
    'the last message of the stream is none of this outlet: somebody else publishes there',
  );
}

function asRecorded({
  type,
  stream,
  version,
  recordedAtMillis,
  data,
}: RecordedEvent): PublishedEvent {
  return { type, stream, version, recordedAt: new Date(recordedAtMillis).toISOString(), data };
}
