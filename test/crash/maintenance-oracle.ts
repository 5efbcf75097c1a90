import { defined } from '@holdfast/kernel';
import { type Sequence, Wal } from '@holdfast/wal';
import type { ArchiveStore } from '@holdfast/wal/maintenance';
import { type DiskImage, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import { type CrashState, crashStates } from './crash-states.js';
import { promisedBy } from './log-oracle.js';
import { payloadIn, type RecordedRun } from './recorded-run.js';

/** What a run said of its log's past at a moment, beside what `Learnt` says: only this may be missing after a crash. */
export interface Allowed {
  /** Everything below may have been removed. */
  readonly removedBelow?: number;
}

export interface MaintenanceOptions {
  /** Where records are that the log's own directory need not hold any more. */
  readonly archive?: (system: SimulatedFileSystem) => ArchiveStore;
  /** Records that compaction may have dropped. */
  readonly mayBeDropped?: (sequence: number) => boolean;
  /** Looked at after each recovery, before the log is closed. */
  readonly check?: (wal: Wal, system: SimulatedFileSystem) => Promise<void>;
}

/** A log that was recovered from a crash during work on its segments holds all that it promised, but what was allowed to go. Recovers twice. */
export async function checkMaintained(
  state: Pick<CrashState, 'image' | 'marks'>,
  run: RecordedRun,
  options: MaintenanceOptions = {},
): Promise<void> {
  const promised = promisedBy(state.marks);
  const removedBelow = Math.max(
    0,
    ...(state.marks as readonly Allowed[]).map((mark) => mark.removedBelow ?? 0),
  );
  let image: DiskImage = state.image;
  const seen: string[] = [];
  for (const seed of [71, 72]) {
    const system = SimulatedFileSystem.on(image);
    const archive = options.archive?.(system);
    const wal = await Wal.open(LOG, {
      ...simulatedOptions(system, run.seed + seed),
      ...(archive !== undefined && { archive }),
    });
    try {
      if (wal.lastSequence < promised)
        throw new Error(`ends at ${wal.lastSequence}, and ${promised} was promised`);
      if (wal.firstSequence > Math.max(1, removedBelow))
        throw new Error(`begins at ${wal.firstSequence}; only below ${removedBelow} may be gone`);
      seen.push(await checkRecords(wal, run, options.mayBeDropped ?? ((): boolean => false)));
      const { problems } = await wal.verify();
      if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
      await options.check?.(wal, system);
    } finally {
      await wal.close();
    }
    image = system.disk.image();
    if (system.misuses.length > 0) throw new Error(`misuses: ${system.misuses.join()}`);
  }
  if (seen[0] !== seen[1]) throw new Error(`recovering twice gives ${seen.join(' and then ')}`);
}

/** Every crash state of a run, or so many of them spread over it; returns how many were looked at. */
export async function checkEveryCrash(
  run: RecordedRun,
  options: {
    readonly statesMax: number;
    readonly fromPoint?: number;
    readonly check: (state: CrashState) => Promise<void>;
  },
): Promise<number> {
  const { fromPoint } = options;
  const states = [
    ...crashStates(run.disk, {
      seed: run.seed,
      cutsMax: 1,
      ...(fromPoint !== undefined && { fromPoint }),
    }),
  ];
  const stride = Math.max(1, states.length / options.statesMax);
  let checked = 0;
  for (let at = states.length - 1; at >= 0; at -= stride) {
    const state = defined(states[Math.floor(at)], 'a state');
    try {
      await options.check(state);
    } catch (error) {
      throw new Error(
        `seed ${run.seed}: power cut after operation ${state.point} with ${state.label} on the disk: ${String(error)}`,
        { cause: error },
      );
    }
    checked++;
  }
  return checked;
}

/** Payloads as submitted; no gap but of records that may be dropped. Returns what the log holds, as text. */
async function checkRecords(
  wal: Wal,
  run: RecordedRun,
  mayBeDropped: (sequence: number) => boolean,
): Promise<string> {
  let next: number = wal.firstSequence;
  const passOver = (upTo: number): void => {
    for (; next < upTo; next++) if (!mayBeDropped(next)) throw new Error(`record ${next} is gone`);
  };
  for await (const { sequence, payload } of wal.read({ after: (next - 1) as Sequence })) {
    passOver(sequence);
    if (!payloadIn(run.seed, sequence).equals(payload))
      throw new Error(`record ${sequence} is not what was submitted`);
    next = sequence + 1;
  }
  passOver(wal.lastSequence + 1);
  // What a check between two recoveries drops on purpose is no difference between them.
  return `${wal.firstSequence} to ${wal.lastSequence}`;
}
