import { BEFORE_FIRST, Wal } from '@holdfast/wal';
import { type DiskImage, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import { type CrashState, crashStates } from './crash-states.js';
import { floorsText, type Learnt, payloadIn, type RecordedRun } from './recorded-run.js';

/** What a crash must not take back. */
export interface Promised {
  /** Every record up to here. */
  readonly records: number;
  /** No writer is ever called by this number, or a lower one, again. */
  readonly epoch: number;
  /** The floors are as after this change, or after a later one that was tried. */
  readonly floors: number;
}

/** What a log that was recovered from a crash must be. Returns nothing when it is, and throws what it is not. */
export async function checkRecovery(state: CrashState, run: RecordedRun): Promise<void> {
  const promised = promisesOf(state.marks);
  const once = await recover(state.image, run, promised);
  const twice = await recover(once.after, run, promised);
  expectSame(once.records, twice.records, 'recovering twice');
  const appended = await appendTo(twice.after, run);
  const again = await recover(appended.after, run, promised);
  expectSame(appended.records, again.records, 'appending after recovery');
}

/** Recovers, with the power cut at every point of the recovery itself. Returns the hashes of the states. */
export async function checkCrashesDuringRecovery(
  state: CrashState,
  run: RecordedRun,
  options: { seed: number; everyNth: number },
): Promise<string[]> {
  const promised = promisesOf(state.marks);
  const first = await recover(state.image, run, promised);
  const checked: string[] = [];
  let at = options.seed;
  for (const inner of crashStates(first.system.disk, { seed: options.seed, cutsMax: 1 })) {
    if (at++ % options.everyNth !== 0) continue;
    const image = inner.image;
    try {
      // What the first recovery has not shown before the power went may be gone; what was promised before is asked for again.
      await recover(image, run, promised);
    } catch (error) {
      throw new Error(
        `crash at ${inner.point} (${inner.label}) of the recovery: ${String(error)}`,
        {
          cause: error,
        },
      );
    }
    checked.push(inner.hash);
  }
  return checked;
}

/** The last record promised. */
export function promisedBy(marks: readonly unknown[]): number {
  return promisesOf(marks).records;
}

export function promisesOf(marks: readonly unknown[]): Promised {
  const learnt = marks as readonly Learnt[];
  const highest = (of: (mark: Learnt) => number | undefined): number =>
    learnt.reduce((highest, mark) => Math.max(highest, of(mark) ?? 0), 0);
  return {
    records: Math.max(
      highest((mark) => mark.acknowledged),
      highest((mark) => mark.shown),
    ),
    epoch: highest((mark) => mark.epoch),
    floors: highest((mark) => mark.floors),
  };
}

interface Recovered {
  readonly records: number;
  readonly after: DiskImage;
  readonly system: SimulatedFileSystem;
}

async function recover(image: DiskImage, run: RecordedRun, promised: Promised): Promise<Recovered> {
  const system = SimulatedFileSystem.on(image);
  const wal = await Wal.open(LOG, simulatedOptions(system, run.seed + 77));
  try {
    const records = await checkRecords(wal, run);
    if (records < promised.records)
      throw new Error(`only ${records} of ${promised.records} promised records`);
    if (records > run.submittedLast) throw new Error(`${records} records, more than submitted`);
    if (wal.lastSequence !== records) throw new Error('the last sequence is not the last record');
    const { epoch } = wal.stats();
    if (epoch <= promised.epoch) throw new Error(`epoch ${epoch} was given before`);
    const floors = floorsText(wal.floors.all());
    if (!run.floors.includes(floors, promised.floors))
      throw new Error(`floors '${floors}', not '${run.floors[promised.floors] ?? ''}'`);
    const { problems } = await wal.verify();
    if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems)}`);
    return { records, system, after: await closedImage(wal, system) };
  } finally {
    await wal.close();
  }
}

async function appendTo(image: DiskImage, run: RecordedRun): Promise<Omit<Recovered, 'system'>> {
  const system = SimulatedFileSystem.on(image);
  const wal = await Wal.open(LOG, simulatedOptions(system, run.seed + 78));
  const first = wal.lastSequence + 1;
  run.submitted.add(`${first}-${first + 1}`);
  run.submittedLast = Math.max(run.submittedLast, first + 1);
  await wal.append([payloadIn(run.seed, first), payloadIn(run.seed, first + 1)]).durable;
  // As if the process were killed: what recovery must cope with is a log that nobody has closed.
  const after = system.disk.image();
  system.kill();
  await wal.close();
  return { records: first + 1, after };
}

async function closedImage(wal: Wal, system: SimulatedFileSystem): Promise<DiskImage> {
  await wal.close();
  return system.disk.image();
}

/** Sequences without a gap, payloads as submitted, batches whole. Returns the last sequence. */
async function checkRecords(wal: Wal, run: RecordedRun): Promise<number> {
  let expected = 1;
  let batchFirst = 1;
  for await (const { sequence, payload, endsBatch } of wal.read({ after: BEFORE_FIRST })) {
    if (sequence !== expected) throw new Error(`sequence ${sequence} where ${expected} belongs`);
    if (!payloadIn(run.seed, sequence).equals(payload))
      throw new Error(`record ${sequence} is not what was submitted`);
    expected++;
    if (!endsBatch) continue;
    if (!run.submitted.has(`${batchFirst}-${sequence}`))
      throw new Error(`nobody submitted a batch ${batchFirst} to ${sequence}`);
    batchFirst = sequence + 1;
  }
  if (batchFirst !== expected) throw new Error(`the batch from ${batchFirst} on is not whole`);
  return expected - 1;
}

function expectSame(first: number, second: number, what: string): void {
  if (first !== second) throw new Error(`${what} gives ${second} records after ${first}`);
}
