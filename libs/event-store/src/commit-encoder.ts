import { defined } from '@holdfast/kernel';
import type { JsonObject, NewEvent, Position, RecordedEvent, StreamVersion } from './event.js';
import { EventEncoder } from './event-encoder.js';
import type { Commit } from './event-log.js';
import { jsonText } from './json-data.js';
import type { Upcasters } from './upcaster.js';

/** A commit in bytes, still without a place in the log. */
export interface EncodedCommit {
  /** One an event; they die with the next commit that is encoded. */
  readonly records: readonly Uint8Array[];
  /** What the log will hold, once its first event has got its position. */
  recordedFrom(first: Position): RecordedEvent[];
}

/** Makes records of a commit. Everything that can be wrong with an event is found here, before anything is assigned. */
export class CommitEncoder {
  private readonly encoder = new EventEncoder();

  constructor(private readonly upcasters: Upcasters | undefined) {}

  /** `bases`: the version that each append continues from. Throws `EVENT_INVALID`, `EVENT_TOO_LARGE`. */
  encode(commit: Commit, bases: readonly StreamVersion[], recordedAtMillis: number): EncodedCommit {
    const metadataOf = this.metadataOf(commit.metadata);
    const placed: Omit<RecordedEvent, 'position' | 'endsCommit'>[] = [];
    this.encoder.begin();
    commit.appends.forEach(({ stream, events }, appendIndex) => {
      let version = defined(bases[appendIndex], 'the base of an append');
      for (const event of events) {
        this.upcasters?.assertPresent(event);
        version = (version + 1) as StreamVersion;
        const tags = distinct(event.tags ?? []);
        const { metadataJson, metadata } = metadataOf(event);
        const dataJson = jsonText(event.data, 'data');
        const place = { stream, version, recordedAtMillis, tags };
        this.encoder.add({ ...place, event, metadataJson, dataJson });
        const { id, type, schemaVersion } = event;
        // Made from the text that was recorded, not from the caller's object: the state must see now what a replay will see.
        const data = JSON.parse(dataJson) as JsonObject;
        placed.push({ ...place, id, type, schemaVersion, metadata, data });
      }
    });
    const last = placed.length - 1;
    const recordedFrom = (first: Position): RecordedEvent[] =>
      placed.map((event, index) => ({
        ...event,
        position: (first + index) as Position,
        endsCommit: index === last,
      }));
    return { records: this.encoder.records(), recordedFrom };
  }

  /** The metadata of each event: the commit's, over which the event's own wins. */
  private metadataOf(
    common: JsonObject | undefined,
  ): (event: NewEvent) => { metadataJson: string; metadata: JsonObject } {
    const shared = recordedMetadata(common ?? {});
    return ({ metadata }) =>
      metadata === undefined ? shared : recordedMetadata({ ...common, ...metadata });
  }
}

const NO_METADATA = { metadataJson: '', metadata: {} };

function recordedMetadata(given: JsonObject): { metadataJson: string; metadata: JsonObject } {
  const json = jsonText(given, 'metadata');
  if (json === '{}') return NO_METADATA;
  return { metadataJson: json, metadata: JSON.parse(json) as JsonObject };
}

function distinct(tags: readonly string[]): readonly string[] {
  return tags.length < 2 ? [...tags] : [...new Set(tags)];
}
