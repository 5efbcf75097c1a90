import type { Sequence, Wal } from '@holdfast/wal';

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

/** Of a log by itself, where nobody reads: lowest first. */
export function floorStatuses(
  wal: Pick<Wal, 'floors' | 'planRemoval' | 'durableSequence'>,
): FloorStatus[] {
  const { durableSequence } = wal;
  const { pinnedBy } = wal.planRemoval({ below: (durableSequence + 1) as Sequence });
  const bytes = new Map(pinnedBy.map((pin) => [pin.name, pin.bytes]));
  return Array.from(wal.floors.all(), ([name, position]) => ({
    name,
    position,
    eventsBehind: durableSequence - position,
    bytesPinned: bytes.get(name) ?? 0,
    connected: false,
    farBehind: false,
  }));
}
