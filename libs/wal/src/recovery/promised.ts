import type { Watermark } from '../directory/watermark.js';
import type { SegmentHeader } from '../format/segment-header.js';
import type { SegmentName } from '../format/segment-name.js';

/** What tells of durable records beside the frames themselves. */
export interface Promises {
  /** Those that count, oldest first; the header is undefined where it cannot be read. */
  readonly segments: readonly {
    readonly name: SegmentName;
    readonly header: SegmentHeader | undefined;
  }[];
  readonly watermark: Watermark | undefined;
  readonly floors: ReadonlyMap<string, number> | undefined;
}

/**
 * D, as far as it is known without reading frames: the highest sequence that WATERMARK, a floor, or the header of a successor tells of. An open and a salvage go by the same: what the
 * one refuses as lost, the other must not pass over. A watermark of a history that the log has left promises nothing here.
 */
export function promisedBy({ segments, watermark, floors }: Promises): number {
  const named = segments.find(({ name }) => name.segment === watermark?.segment)?.header;
  const isForeign = named !== undefined && named.timeline !== watermark?.timeline;
  // A segment begins behind what its predecessor was sealed with.
  const sealedUpTo = segments.reduce(
    (high, { header }) => Math.max(high, (header?.firstSequence ?? 1) - 1),
    0,
  );
  return Math.max(
    sealedUpTo,
    isForeign ? 0 : (watermark?.sequence ?? 0),
    ...(floors?.values() ?? []),
  );
}
