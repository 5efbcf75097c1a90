/** What a segment's file name says: `<segment number, 16 hex>-<first sequence, 16 hex>.<generation>.wal`. */
export interface SegmentName {
  /** 1, 2, 3 … in the order of creation. */
  readonly segment: number;
  readonly firstSequence: number;
  /** 0 as written; compaction raises it. */
  readonly generation: number;
}

const PATTERN = /^([0-9a-f]{16})-([0-9a-f]{16})\.(0|[1-9][0-9]*)\.wal$/;

export function formatSegmentName({ segment, firstSequence, generation }: SegmentName): string {
  return `${hex16(segment)}-${hex16(firstSequence)}.${generation}.wal`;
}

/** Undefined for any other file. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const match = PATTERN.exec(file);
  if (match === null) return undefined;
  const [segment, firstSequence] = [match[1], match[2]].map((digits) => parseInt(digits ?? '', 16));
  const generation = Number(match[3]);
  if (!Number.isSafeInteger(segment) || !Number.isSafeInteger(firstSequence)) return undefined;
  return { segment: segment ?? 0, firstSequence: firstSequence ?? 0, generation };
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, '0');
}

/** The name under which the diagnosis speaks of a sealed or last segment. */
export function segmentPath(directory: string, name: SegmentName): string {
  return `${directory}/${formatSegmentName(name)}`;
}
