import {
  type AppendOptions,
  BEFORE_FIRST,
  type Sequence,
  Wal,
  type WalOptions,
  WalReader,
} from '@holdfast/wal';
import {
  type Fault,
  LOG,
  SeededRandom,
  SimulatedFileSystem,
  simulatedOptions,
  TickingClock,
} from '@holdfast/wal/testing';

/** What the world learnt at a moment of a run, and a crash after it must not take back. */
export interface Learnt {
  /** Everything up to here was acknowledged as durable. */
  readonly acknowledged?: number;
  /** A reader was shown everything up to here. */
  readonly shown?: number;
  /** A writer of this epoch was open. */
  readonly epoch?: number;
  /** The change of floors with this number was durable when it returned. */
  readonly floors?: number;
}

export function floorsText(floors: ReadonlyMap<string, Sequence>): string {
  return [...floors]
    .map(([name, sequence]) => `${name} ${sequence}`)
    .sort()
    .join(', ');
}

/** The payload of a sequence in this run: the same whoever submits it, because a lost record's place is given again. */
export function payloadIn(seed: number, sequence: number): Buffer {
  const random = new SeededRandom(seed * 1_000_003 + sequence);
  const length = random.chance(6) ? random.below(2_600) : random.below(200);
  return Buffer.from(`${sequence}:`.padEnd(length, `${sequence % 10}`));
}

/** A run of one or more processes on one simulated disk, with what they submitted and what the world learnt from them. */
export class RecordedRun {
  readonly system: SimulatedFileSystem;
  readonly random: SeededRandom;
  /** Batches that were admitted, as `first-last`. */
  readonly submitted = new Set<string>();
  submittedLast = 0;
  /** Floors after each change that was tried, in order, as text; none before the first. */
  readonly floors: string[] = [floorsText(new Map())];
  private readonly clock = new TickingClock();
  private readonly opened: Wal[] = [];

  /** The faults hit every process of the run. */
  constructor(
    readonly seed: number,
    private readonly faults: readonly Fault[] = [],
  ) {
    this.random = new SeededRandom(seed);
    this.system = this.faulty(SimulatedFileSystem.on());
  }

  /** Another process on the same disk. */
  process(): SimulatedFileSystem {
    return this.faulty(this.system.sibling());
  }

  get disk(): SimulatedFileSystem['disk'] {
    return this.system.disk;
  }

  async open(options: WalOptions = {}, system = this.system): Promise<Wal> {
    const wal = await Wal.open(LOG, {
      ...simulatedOptions(system, this.seed),
      clock: this.clock,
      randomBytes: (length) => this.random.bytes(length),
      // Real time has no part in a run that must repeat.
      syncIntervalMillis: 10_000,
      ...options,
    });
    this.opened.push(wal);
    this.learn({ epoch: wal.stats().epoch });
    return wal;
  }

  /** One batch of the next records; what becomes of it is noted when it is known. */
  append(wal: Wal, options: AppendOptions & { records?: number } = {}): Promise<void> {
    const { records = 1 + this.random.below(4), ...appendOptions } = options;
    const first = wal.lastSequence + 1;
    const payloads = Array.from({ length: records }, (_, at) => payloadIn(this.seed, first + at));
    const admission = wal.append(payloads, appendOptions);
    this.submitted.add(`${admission.first}-${admission.last}`);
    this.submittedLast = Math.max(this.submittedLast, admission.last);
    const promised = wal.stats().durability === 'sync' || options.durability === 'sync';
    return admission.durable.then(() => {
      if (promised) this.learn({ acknowledged: admission.last });
      this.learn({ shown: wal.durableSequence });
    });
  }

  async flush(wal: Wal): Promise<void> {
    const target = wal.lastSequence;
    await wal.flush();
    this.learn({ acknowledged: target });
  }

  async close(wal: Wal): Promise<void> {
    const target = wal.lastSequence;
    await wal.close();
    if (wal.poison === undefined) this.learn({ acknowledged: target });
  }

  /** Sets a floor, or drops it where no sequence is given. */
  setFloor(wal: Wal, name: string, sequence?: Sequence): void {
    const after = new Map(wal.floors.all());
    if (sequence === undefined) after.delete(name);
    else after.set(name, sequence);
    const change = this.floors.push(floorsText(after)) - 1;
    if (sequence === undefined) wal.floors.drop(name);
    else wal.floors.set(name, sequence);
    this.learn({ floors: change });
  }

  /** A reader in another process looks at the log now. */
  async look(): Promise<void> {
    const reader = await WalReader.open(LOG, { fileSystem: this.process() });
    let shown = 0;
    for await (const record of reader.read({ after: BEFORE_FIRST })) shown = record.sequence;
    await reader.close();
    this.learn({ shown });
  }

  learn(learnt: Learnt): void {
    this.disk.mark(learnt);
  }

  /** Ends whatever the run has left open, without anything more reaching the disk that counts. */
  async end(): Promise<void> {
    for (const wal of this.opened) await wal.close();
  }

  private faulty(system: SimulatedFileSystem): SimulatedFileSystem {
    for (const fault of this.faults) system.faults.plan(fault);
    return system;
  }
}
