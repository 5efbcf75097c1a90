import { setTimeout } from 'node:timers/promises';

export interface FollowedEvent {
  readonly position: string;
  readonly type: string;
  readonly id: string;
}

const PAUSE_MILLIS = 20;

/** A client that follows the events of a ledger as `EventSource` does: it comes back with the last id, whatever ends its stream. */
export class EventFollower {
  readonly events: FollowedEvent[] = [];
  /** How often a stream was begun. */
  streams = 0;
  private lastEventId: string | undefined;
  private readonly leaving = new AbortController();
  private following: Promise<void> | undefined;

  constructor(private readonly url: string) {}

  start(): void {
    this.following = this.follow();
  }

  /** The connection ends in the middle of whatever it brings. */
  breakOff(): void {
    this.stream?.abort();
  }

  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) await setTimeout(PAUSE_MILLIS);
  }

  async stop(): Promise<void> {
    this.leaving.abort();
    this.stream?.abort();
    await this.following;
  }

  private stream: AbortController | undefined;

  private async follow(): Promise<void> {
    while (!this.leaving.signal.aborted) {
      this.stream = new AbortController();
      await this.read(this.stream.signal).catch(() => undefined);
      await setTimeout(PAUSE_MILLIS);
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const response = await fetch(this.url, {
      headers: {
        accept: 'text/event-stream',
        ...(this.lastEventId !== undefined && { 'last-event-id': this.lastEventId }),
      },
      signal,
    });
    if (response.status !== 200) {
      const text = await response.text();
      if (response.status < 500) throw new Error(`cannot follow: ${response.status} ${text}`);
      return;
    }
    this.streams += 1;
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      const parts = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.take(part);
    }
  }

  private take(message: string): void {
    for (const line of message.split('\n')) {
      if (line.startsWith('id: ')) this.lastEventId = line.slice(4);
      if (line.startsWith('data: ')) this.events.push(JSON.parse(line.slice(6)) as FollowedEvent);
    }
  }
}
