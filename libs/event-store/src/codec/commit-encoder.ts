import { defined } from '@holdfast/kernel';
import type { JsonObject, NewEvent, Position, RecordedEvent, StreamVersion } from '../event.js';
import { EventEncoder } from './event-encoder.js';
import type { Commit } from '../event-log.js';
import { plainCopy } from './json-data.js';
import type { Upcasters } from './upcaster.js';

/** A recorded event while it is made: its position is known last. */
type Draft = { -readonly [Field in keyof RecordedEvent]: RecordedEvent[Field] };

const NO_POSITION = 0 as Position;
/** Up to here comparing each tag with the others is cheaper than a set. */
const COMPARED_TAGS_MAX = 8;

/** Makes records of a commit. Everything that can be wrong with an event is found here, before anything is assigned. */
export class CommitEncoder {
  private readonly encoder = new EventEncoder();
  private drafts: Draft[] = [];
  private recordedAtMillis = 0;
  /** The commit's metadata, as it is recorded for an event without its own. */
  private commonMetadata = NO_METADATA;

  constructor(private readonly upcasters: Upcasters | undefined) {}

  /**
   * One record an event; they die with the next commit that is encoded. `bases`: the version that each append continues
   * from. Throws `EVENT_INVALID`, `EVENT_TOO_LARGE`.
   */
  encode(commit: Commit, bases: readonly StreamVersion[], recordedAtMillis: number): Uint8Array[] {
    this.encoder.begin();
    this.recordedAtMillis = recordedAtMillis;
    this.commonMetadata = recordedMetadata(commit.metadata);
    // Of its exact size: an array that grows from nothing reserves seventeen places, and most commits are one event.
    this.drafts = new Array<Draft>(eventCountOf(commit));
    let at = 0;
    for (const [index, { stream, events }] of commit.appends.entries()) {
      let version = defined(bases[index], 'the base of an append');
      for (const event of events) {
        version = (version + 1) as StreamVersion;
        this.drafts[at++] = this.add(event, stream, version);
      }
    }
    return this.encoder.records();
  }

  /** What the log holds of the commit that was encoded last, now that its first event has a position. */
  recordedFrom(first: Position): readonly RecordedEvent[] {
    const { drafts } = this;
    this.drafts = [];
    for (const [index, draft] of drafts.entries()) {
      draft.position = (first + index) as Position;
      draft.endsCommit = index === drafts.length - 1;
      Object.freeze(draft);
    }
    // The state, whoever appends it again and the caller hold the same events: none of them changes what the others see.
    return Object.freeze(drafts);
  }

  private add(event: NewEvent, stream: string, version: StreamVersion): Draft {
    this.upcasters?.assertPresent(event);
    const { id, type, schemaVersion } = event;
    const { recordedAtMillis } = this;
    const tags = distinct(event.tags);
    const { json: metadataJson, metadata } = this.metadataOf(event);
    // Not the caller's object: the state must see now what a replay will see.
    const data = plainCopy(event.data, 'data');
    const dataJson = JSON.stringify(data);
    this.encoder.add({ event, stream, version, recordedAtMillis, tags, metadataJson, dataJson });
    return {
      position: NO_POSITION,
      stream,
      version,
      id,
      type,
      schemaVersion,
      recordedAtMillis,
      tags,
      metadata,
      data,
      endsCommit: false,
    };
  }

  private metadataOf({ metadata }: NewEvent): RecordedMetadata {
    if (metadata === undefined) return this.commonMetadata;
    const own = recordedMetadata(metadata);
    if (this.commonMetadata === NO_METADATA || own === NO_METADATA)
      return own === NO_METADATA ? this.commonMetadata : own;
    // Copies both: what JSON cannot hold was refused, and what is undefined has gone, so it takes nothing away.
    const merged = Object.freeze({ ...this.commonMetadata.metadata, ...own.metadata });
    return { json: JSON.stringify(merged), metadata: merged };
  }
}

export function eventCountOf({ appends }: Commit): number {
  let count = 0;
  for (const { events } of appends) count += events.length;
  return count;
}

interface RecordedMetadata {
  /** Empty for none. */
  readonly json: string;
  readonly metadata: JsonObject;
}

/** Shared by every event without metadata. */
const NO_METADATA: RecordedMetadata = { json: '', metadata: Object.freeze({}) };

function recordedMetadata(given: JsonObject | undefined): RecordedMetadata {
  if (given === undefined) return NO_METADATA;
  const metadata = plainCopy(given, 'metadata');
  const json = JSON.stringify(metadata);
  return json === '{}' ? NO_METADATA : { json, metadata };
}

/** A copy, in the order of their first mention. */
function distinct(tags: readonly string[] = []): readonly string[] {
  if (tags.length > COMPARED_TAGS_MAX) return Object.freeze(Array.from(new Set(tags)));
  return Object.freeze(tags.filter((tag, index) => tags.indexOf(tag) === index));
}
