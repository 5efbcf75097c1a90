import type { Wal } from '@holdfast/wal';

/** A floor of the log: somebody has done with everything up to `position`, and needs what follows. */
export interface FloorStatus {
  readonly name: string;
  readonly position: number;
  readonly eventsBehind: number;
  /** Sealed segments that this floor alone would keep. */
  readonly bytesPinned: number;
  /** Whether somebody reads under this name just now. */
  readonly connected: boolean;
  readonly farBehind: boolean;
}

/** Of a log by itself, where nobody reads: lowest first. From what is known in memory, because metrics ask for it often. */
export function floorStatuses(
  wal: Pick<Wal, 'floors' | 'segments' | 'durableSequence'>,
): FloorStatus[] {
  const { durableSequence } = wal;
  const sealed = sealedSegments(wal);
  return Array.from(wal.floors.all(), ([name, position]) => ({
    name,
    position,
    eventsBehind: durableSequence - position,
    bytesPinned: sealed.reduce(
      (sum, { lastSequence, bytes }) => (lastSequence >= position ? sum + bytes : sum),
      0,
    ),
    connected: false,
    farBehind: false,
  }));
}

function sealedSegments(
  wal: Pick<Wal, 'segments'>,
): readonly { readonly lastSequence: number; readonly bytes: number }[] {
  const segments = wal.segments().filter(({ archived }) => archived === undefined);
  return segments.flatMap(({ dataLength }, index) => {
    const next = segments[index + 1];
    if (dataLength === undefined || next === undefined) return [];
    return [{ lastSequence: next.name.firstSequence - 1, bytes: dataLength }];
  });
}
