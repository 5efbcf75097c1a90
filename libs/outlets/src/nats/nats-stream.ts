import {
  type JetStreamClient,
  type JetStreamManager,
  type PubAck,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import {
  type NatsConnection,
  type NodeConnectionOptions,
  connect,
  headers,
} from '@nats-io/transport-node';
import { classified, natsTrouble } from './nats.errors.js';

export interface NatsMessage {
  readonly subject: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a stream holds, at one of its sequences. */
export interface StoredMessage {
  readonly sequence: number;
  /** The value of a header; empty where there is none. */
  header(name: string): string;
}

export interface NatsStreamOptions {
  readonly connection: NodeConnectionOptions;
  readonly stream: string;
  readonly ackMillis: number;
  readonly inFlightMax: number;
}

/**
 * One connection to one stream, until something fails: then a new one is made, which looks again at what the stream holds. It never reconnects by itself, so nothing that it has
 * not been told of happens behind its back.
 */
export class NatsStream {
  private constructor(
    private readonly options: NatsStreamOptions,
    private readonly connection: NatsConnection,
    private readonly client: JetStreamClient,
    private readonly manager: JetStreamManager,
    /** Of the stream's last message, whoever published it; 0 when it never had one. */
    public lastSequence: number,
    readonly firstSequence: number,
  ) {}

  /** Throws `OUTLET_NATS_UNREACHABLE`, `OUTLET_NATS_REFUSED`, `OUTLET_NATS_NO_JETSTREAM`, `OUTLET_NATS_NO_STREAM`, `OUTLET_NATS_SLOW`. */
  static async open(options: NatsStreamOptions): Promise<NatsStream> {
    const { connection: asked, stream, ackMillis: timeout } = options;
    const where = `NATS at ${String(asked.servers ?? 'its default address')}`;
    let connection: NatsConnection | undefined;
    try {
      connection = await connect({ ...{ timeout, name: 'holdfast' }, ...asked, reconnect: false });
      const manager = await jetstreamManager(connection, { timeout });
      const { state } = await manager.streams.info(stream);
      const client = jetstream(connection, { timeout });
      return new NatsStream(options, connection, client, manager, state.last_seq, state.first_seq);
    } catch (error) {
      await connection?.close();
      const found = classified(where, error);
      throw found.code === 'OUTLET_NATS_NO_STREAM'
        ? natsTrouble(found.code, `${where} has no stream ${stream}`, error)
        : found;
    }
  }

  get isOpen(): boolean {
    return !this.connection.isClosed();
  }

  /** Undefined when the stream holds none at this sequence any more. */
  async messageAt(sequence: number): Promise<StoredMessage | undefined> {
    try {
      const found = await this.manager.streams.getMessage(this.options.stream, { seq: sequence });
      if (found === null) return undefined;
      return { sequence, header: (name) => found.header.get(name) };
    } catch (error) {
      throw classified(`the stream ${this.options.stream}`, error);
    }
  }

  /**
   * Publishes all of them behind the stream's last message, or some of the first: never one without those before it, and nothing behind what somebody else has published meanwhile.
   * Resolves with the server's acknowledgement of the last.
   */
  async publish(messages: readonly NatsMessage[]): Promise<void> {
    const acknowledged: Promise<void>[] = [];
    const refused: unknown[] = [];
    for (const [index, message] of messages.entries()) {
      if (index >= this.options.inFlightMax) await acknowledged[index - this.options.inFlightMax];
      if (refused.length > 0) break;
      const one = this.publishOne(message, this.lastSequence + index);
      // Whoever waits for those before it hears of it in its turn. A rejection without a listener would end the process.
      one.catch((error: unknown) => refused.push(error));
      acknowledged.push(one);
    }
    for (const one of acknowledged) await one;
    this.lastSequence += messages.length;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async publishOne(message: NatsMessage, after: number): Promise<void> {
    const { stream: streamName } = this.options;
    const named = headers();
    for (const [name, value] of Object.entries(message.headers)) named.set(name, value);
    let ack: PubAck;
    try {
      ack = await this.client.publish(message.subject, message.body, {
        msgID: message.id,
        headers: named,
        // The server compares in the order in which it stores: the message is stored right there, or not at all.
        expect: { streamName, lastSequence: after },
      });
    } catch (error) {
      const { code, message: text } = classified(`${message.id} to ${streamName}`, error);
      throw code === 'OUTLET_NATS_NO_JETSTREAM'
        ? natsTrouble(
            'OUTLET_NATS_NO_STREAM',
            `no stream takes the subject ${message.subject}`,
            error,
          )
        : natsTrouble(code as Parameters<typeof natsTrouble>[0], text, error);
    }
    // One that was under way when its connection broke is there already, in its place. One that the stream has dropped since is not.
    if (ack.seq !== after + 1)
      throw natsTrouble(
        'OUTLET_NATS_STREAM_FOREIGN',
        `the server recognises ${message.id} as a duplicate of sequence ${ack.seq}, which is not where it belongs (${after + 1}): the stream was purged within its duplicate window, which will pass`,
      );
  }
}
