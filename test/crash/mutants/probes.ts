import { errorCode } from '@holdfast/kernel';
import { Wal } from '@holdfast/wal';
import { afterPowerCut, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import { crashStates } from '../crash-states.js';
import { type Workload, WORKLOADS } from '../crash-workloads.js';
import { judge } from '../damage-oracle.js';
import {
  cutSegments,
  duplicatedSegments,
  flippedBits,
  lostSectors,
  missingFiles,
} from '../damages.js';
import { forgeries } from '../forgeries.js';
import { GOLDEN_LOGS, type GoldenLog } from '../golden-logs.js';
import { checkRecovery } from '../log-oracle.js';
import { checkEveryCrash } from '../maintenance-oracle.js';
import { type Maintenance, MAINTENANCE } from '../maintenance-workloads.js';
import { RecordedRun } from '../recorded-run.js';
import { BACKUP_PROBES } from './backup-probes.js';
import { EVENT_PROBES } from './event-probes.js';
import { FILE_PROBES } from './file-probes.js';
import { STATE_PROBES } from './state-probes.js';
import { TAKEOVER_PROBES } from './takeover-probes.js';

/** Something that is done to a log, in seconds. Throws what is wrong. */
export type Probe = () => Promise<void>;

/** The crash suite in small. A protocol of its own brings its workload, and its mutants name it. */
export const PROBES: Readonly<Record<string, Probe>> = {
  ...named(WORKLOADS, (workload) => () => powerCuts(workload)),
  ...named(GOLDEN_LOGS, (make) => async () => damages(await make()), 'damage to '),
  ...named(MAINTENANCE, (work) => () => powerCutsDuring(work)),
  'forged frames': forgedFrames,
  'read errors': readErrors,
  'a failed sync of zeros': failedSyncOfZeros,
  'a disk that appends have filled': filledDisk,
  'a second opener': secondOpener,
  ...BACKUP_PROBES,
  ...FILE_PROBES,
  ...STATE_PROBES,
  ...TAKEOVER_PROBES,
  ...EVENT_PROBES,
};

const SEEDS = [1, 2, 3];
const STATES_MAX = 60;
const MAINTENANCE_STATES_MAX = 250;
const ZEROED_AT_ONCE_BYTES = 1024 * 1024;
/** An open reads no file of a golden log more often. */
const READS_MAX = 16;

async function powerCuts(workload: Workload): Promise<void> {
  for (const seed of SEEDS) {
    const run = new RecordedRun(seed);
    await workload(run);
    const states = [...crashStates(run.disk, { seed, cutsMax: 1 })];
    await run.end();
    const stride = Math.max(1, states.length / STATES_MAX);
    // From the end: most of what a missing sync takes away shows there.
    for (let at = states.length - 1; at >= 0; at -= stride) {
      const state = states[Math.floor(at)];
      if (state === undefined) continue;
      try {
        await checkRecovery(state, run);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const place = `seed ${seed}, power cut after operation ${state.point}, ${state.label}`;
        throw new Error(`${place}: ${message}`, { cause: error });
      }
    }
  }
}

async function powerCutsDuring(work: Maintenance): Promise<void> {
  const run = new RecordedRun(1);
  const fromPoint = await work.play(run);
  await checkEveryCrash(run, {
    statesMax: MAINTENANCE_STATES_MAX,
    fromPoint,
    check: (state) => work.check(state, run),
  });
}

async function damages(golden: GoldenLog): Promise<void> {
  const kinds = [
    missingFiles(golden),
    duplicatedSegments(golden),
    lostSectors(golden),
    cutSegments(golden, 'few'),
    flippedBits(golden, 'few'),
  ];
  for (const kind of kinds) for (const damage of kind) await judge(golden, damage);
}

async function forgedFrames(): Promise<void> {
  for (const forgery of await forgeries()) await forgery.check();
}

/** What makes room again finds room: a sixteenth of a small disk is left, whether the next segment is zeroed ahead or piece by piece. */
async function filledDisk(): Promise<void> {
  for (const isAhead of [true, false]) {
    const system = SimulatedFileSystem.on();
    if (!isAhead) system.createZeroed = () => Promise.reject(new Error('the worker is too late'));
    system.disk.capacityBytes = 512 * 1024;
    const wal = await Wal.open(LOG, simulatedOptions(system));
    let refusal: unknown;
    while (refusal === undefined) {
      try {
        await wal.append([Buffer.alloc(3_000)]).durable;
      } catch (error) {
        refusal = error;
      }
    }
    if (errorCode(refusal) !== 'WAL_FULL') throw refusal as Error;
    const left = system.disk.freeBytes;
    if (left < system.disk.capacityBytes / 16) throw new Error(`${left} bytes are left`);
    await wal.close();
  }
}

/** A file that cannot be read is not a file that is not there, or that ends. */
async function readErrors(): Promise<void> {
  for (const make of Object.values(GOLDEN_LOGS)) {
    const { image, records } = await make();
    for (const path of ['MANIFEST', 'WATERMARK', 'FLOORS', '.wal']) {
      for (let skip = 0; skip < READS_MAX; skip++) {
        const system = SimulatedFileSystem.on(image);
        const effect = { kind: 'error', code: 'EIO' } as const;
        system.faults.plan({
          operation: 'read',
          path: new RegExp(path.replace('.', '\\.')),
          skip,
          times: 1,
          effect,
        });
        const wal = await openedOrRefused(system, 'WAL_READ_FAILED');
        if (wal !== undefined && wal.lastSequence !== records)
          throw new Error(`EIO at read ${skip} of ${path}: opens with ${wal.lastSequence} records`);
        await wal?.close();
      }
    }
  }
}

/**
 * The kernel tells an open file of a failed write-back once. Here the sync of zeros for the rest of a segment meets the error of frames that wait for
 * their sync, and whoever takes it for a full disk is told yes by the next sync.
 */
async function failedSyncOfZeros(): Promise<void> {
  const run = new RecordedRun(1);
  const wal = await run.open({
    durability: 'interval',
    frameBytesMax: 512 * 1024,
    segmentBytes: 2 * ZEROED_AT_ONCE_BYTES,
  });
  run.system.faults.plan({
    operation: 'data-sync',
    path: /next-1-1\./,
    times: 1,
    // As disks say it that find their blocks late. Other errors end the writer wherever they come from.
    effect: { kind: 'failed-sync', code: 'ENOSPC' },
  });
  try {
    while (wal.stats().bytesWritten < ZEROED_AT_ONCE_BYTES) await run.append(wal, { records: 200 });
    throw new Error('no zeros were synced');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
  await run.flush(wal).catch(() => undefined);
  const marks = run.disk.operations.flatMap((operation) =>
    operation.kind === 'mark' ? [operation.mark] : [],
  );
  await run.end();
  const image = afterPowerCut(run.disk);
  await checkRecovery(
    { point: run.disk.operations.length, label: 'nothing', hash: '', image, marks },
    run,
  );
}

async function secondOpener(): Promise<void> {
  const system = SimulatedFileSystem.on();
  const first = await Wal.open(LOG, simulatedOptions(system));
  const second = await openedOrRefused(system.sibling(), 'WAL_LOCKED');
  if (second !== undefined) throw new Error('two writers have the log');
  await first.close();
}

async function openedOrRefused(
  system: SimulatedFileSystem,
  code: string,
): Promise<Wal | undefined> {
  try {
    return await Wal.open(LOG, simulatedOptions(system));
  } catch (error) {
    if (errorCode(error) !== code) throw error;
    return undefined;
  }
}

function named<Item>(
  items: Readonly<Record<string, Item>>,
  probe: (item: Item) => Probe,
  prefix = '',
): Record<string, Probe> {
  return Object.fromEntries(
    Object.entries(items).map(([name, item]) => [`${prefix}${name}`, probe(item)]),
  );
}
