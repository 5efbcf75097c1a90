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
      await stream.publish(fresh.map((event) => this.messageOf(event, delivery.logId)));
      const newest = fresh.at(-1);
      if (newest !== undefined)
        this.last = {
          kind: 'ours',
          logId: delivery.logId,
          position: newest.position,
          eventId: newest.id,
        };
    });
  }

  async historyEnded(ended: EndedHistory, signal: AbortSignal): Promise<void> {
    await this.withStream(signal, async (stream) => {
      const notice = this.noticeOf(ended);
      const last = await stream.messageAt(stream.lastSequence);
      if (last?.header(MESSAGE_ID) !== notice.id) {
        if (last !== undefined && last.header(LOG) === '') throw foreign();
        await stream.publish([notice]);
      }
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

  private messageOf(event: RecordedEvent, logId: string): NatsMessage {
    const { position, id, type, stream } = event;
    const shown = (this.options.shows ?? asRecorded)(event);
    return {
      subject: this.subject.filled(shown),
      // The id too: after a restore the position is that of another event.
      id: `${logId}:${position}:${id}`,
      headers: {
        ...{ [LOG]: logId, [POSITION]: String(position), [EVENT]: id },
        ...{ [TYPE]: headerText(type), [STREAM]: headerText(stream) },
      },
      body: JSON.stringify({ id, ...shown }),
    };
  }

  private noticeOf({ previous, next }: EndedHistory): NatsMessage {
    const type = 'HistoryEnded';
    const named = ({ logId, position, timeline }: EndedHistory['next']) =>
      `${logId}:${timeline}:${position}`;
    return {
      subject: this.subject.filled({ type }),
      id: `${named(previous)}:ended:${named(next)}`,
      headers: { [LOG]: next.logId, [POSITION]: String(next.position), [TYPE]: type },
      body: JSON.stringify({ type, previous, next }),
    };
  }
}

/** What the stream ends with. */
type LastMessage =
  | { readonly kind: 'none' }
  /** It had messages, and has dropped the last: what that was is not known. */
  | { readonly kind: 'dropped' }
  | {
      readonly kind: 'ours';
      readonly logId: string;
      readonly position: number;
      /** Empty: it says that a history ended. */
      readonly eventId: string;
    };

async function lastMessageOf(stream: NatsStream): Promise<LastMessage> {
  if (stream.lastSequence === 0) return { kind: 'none' };
  const message = await stream.messageAt(stream.lastSequence);
  if (message === undefined) return { kind: 'dropped' };
  return { kind: 'ours', ...placeOf(message) };
}

function placeOf(message: StoredMessage): { logId: string; position: number; eventId: string } {
  const logId = message.header(LOG);
  if (logId === '') throw foreign();
  return { logId, position: Number(message.header(POSITION)), eventId: message.header(EVENT) };
}

/** Those that the stream does not hold. Throws when it cannot go on behind what it holds. */
async function unpublished(
  stream: NatsStream,
  last: LastMessage,
  events: readonly RecordedEvent[],
  { logId, delivered }: Delivery,
): Promise<readonly RecordedEvent[]> {
  if (last.kind === 'dropped') return events;
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
  const fresh = events.filter((event) => event.position > position);
  const known = events.findLast((event) => event.position <= position);
  if (known !== undefined && last.kind === 'ours') await assertHeld(stream, last, known);
  return fresh;
}

/** An event at or before the stream's end is the one that the stream has there, and no event of a history that ended. */
async function assertHeld(
  stream: NatsStream,
  last: LastMessage & { kind: 'ours' },
  event: RecordedEvent,
): Promise<void> {
  const found = last.position === event.position ? last : await placed(stream, event.position);
  if (found === 'before the first' || found?.eventId === '' || found?.eventId === event.id) return;
  throw natsTrouble(
    'OUTLET_NATS_STREAM_FOREIGN',
    `the stream goes on to position ${last.position} without the event ${event.id} of position ${event.position}: it holds another history, or another filter's events`,
  );
}

/** Looks in the stream by halves: positions grow with sequences. */
async function placed(
  stream: NatsStream,
  position: number,
): Promise<{ readonly eventId: string } | 'before the first' | undefined> {
  let low = stream.firstSequence;
  let high = stream.lastSequence;
  let isFirst = true;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const message = await stream.messageAt(middle);
    // Dropped meanwhile from the front.
    const found = message && placeOf(message);
    if (found?.position === position) return found;
    if (found === undefined || found.position < position) {
      low = middle + 1;
      isFirst &&= found === undefined;
    } else high = middle - 1;
  }
  // Everything that the stream still holds comes after it: the limits of the stream have dropped it.
  return isFirst ? 'before the first' : undefined;
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
