import type { EventFilter } from '../event-log.js';
import { invalid } from '../event-store.errors.js';
import type { EventView } from '../codec/event-view.js';

/** A filter made ready for comparing bytes, so that what it leaves out is never decoded. */
export class EventMatcher {
  private readonly types: readonly Uint8Array[] | undefined;
  private readonly streamPrefix: Uint8Array | undefined;
  private readonly tags: readonly Uint8Array[] | undefined;

  /** Throws `EVENT_INVALID` for text that no event can have. */
  constructor(filter: EventFilter = {}) {
    this.types = filter.types?.map(encoded);
    this.streamPrefix =
      filter.streamPrefix === undefined ? undefined : encoded(filter.streamPrefix);
    this.tags = filter.tags?.map(encoded);
  }

  matches(view: EventView): boolean {
    const { types, streamPrefix, tags } = this;
    return (
      (types === undefined || types.some((type) => view.hasType(type))) &&
      (streamPrefix === undefined || view.hasStreamPrefix(streamPrefix)) &&
      (tags === undefined || tags.some((tag) => view.hasTag(tag)))
    );
  }
}

function encoded(text: string): Uint8Array {
  // Encoded, a lone surrogate would match the U+FFFD of another name.
  if (!text.isWellFormed()) throw invalid('a filter is not well-formed Unicode');
  return Buffer.from(text);
}
