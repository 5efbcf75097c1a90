import { ProblemException } from './problem.exception.js';

export interface StreamLimits {
  /** How many answers may be under way at once. Default 256. */
  readonly streamsMax?: number;
  /** How many of them from one address. Default 32. */
  readonly streamsOfClientMax?: number;
}

const STREAMS_MAX = 256;
const STREAMS_OF_CLIENT_MAX = 32;
const RETRY_AFTER_SECONDS = 5;

/** Bounds answers that last: those of a process, and those of one address. */
export class StreamPlaces {
  private readonly ofClients = new Map<string, number>();
  private taken = 0;
  private readonly streamsMax: number;
  private readonly ofClientMax: number;

  constructor({
    streamsMax = STREAMS_MAX,
    streamsOfClientMax = STREAMS_OF_CLIENT_MAX,
  }: StreamLimits = {}) {
    this.streamsMax = streamsMax;
    this.ofClientMax = streamsOfClientMax;
  }

  get count(): number {
    return this.taken;
  }

  /** Returns what gives the place back, once. Throws `overloaded` when this client has all of its places, `too-many-streams` when there is none for anybody. */
  take(client: string): () => void {
    const ofClient = this.ofClients.get(client) ?? 0;
    if (ofClient >= this.ofClientMax)
      throw new ProblemException('overloaded', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
        detail: `This address has ${ofClient} streams of events open, and may have no more.`,
      });
    if (this.taken >= this.streamsMax)
      throw new ProblemException('too-many-streams', {
        outcome: 'not-applied',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    this.taken += 1;
    this.ofClients.set(client, ofClient + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.giveBack(client);
      isTaken = false;
    };
  }

  private giveBack(client: string): void {
    this.taken -= 1;
    const left = (this.ofClients.get(client) ?? 1) - 1;
    if (left === 0) this.ofClients.delete(client);
    else this.ofClients.set(client, left);
  }
}
