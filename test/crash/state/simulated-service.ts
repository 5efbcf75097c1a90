import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CheckpointReport,
  type CheckpointedStateOptions,
  type Commit,
  type Evolve,
  type StateEvent,
  WalEventLog,
} from '@holdfast/event-store';
import type { WalOptions } from '@holdfast/wal';
import {
  afterPowerCut,
  type DiskImage,
  LOG,
  SimulatedFileSystem,
  simulatedOptions,
} from '@holdfast/wal/testing';
import { evolve } from './counting.js';
import { countedCommit, ExpectedState } from './expected-state.js';

/** A log on a simulated disk and its state in a real directory, as a crash has left them. */
export interface ServiceImage {
  readonly log: DiskImage;
  /** Holds `state` and `snapshots`. */
  readonly directory: string;
}

/** What a moment of a run has left, and what must be true of it. */
export interface ServiceCut extends ServiceImage {
  readonly label: string;
  /** What the log called durable. */
  readonly promised: number;
  /** Of the last checkpoint whose record was durable; 0 before the first. */
  readonly recorded: number;
}

export interface OpenOptions {
  readonly evolve?: Evolve;
  readonly state?: Partial<CheckpointedStateOptions>;
  readonly wal?: WalOptions;
}

const directories: string[] = [];
let openings = 0;

/** Removed with all others by `removeServices`. */
function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'service-'));
  directories.push(directory);
  return directory;
}

export function removeServices(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
}

/** A copy of a service's state, to be damaged or gone on with. */
export function copyOf(image: ServiceImage): ServiceImage {
  const directory = newDirectory();
  cpSync(image.directory, directory, { recursive: true });
  return { log: image.log, directory };
}

/** Each opening has random ids of its own, as each has in reality: a history is told from another by them. */
export function openService(
  system: SimulatedFileSystem,
  directory: string,
  { state, wal, ...options }: OpenOptions = {},
): Promise<WalEventLog> {
  return WalEventLog.open(LOG, {
    evolve,
    ...options,
    wal: {
      ...simulatedOptions(system, ++openings),
      durability: 'none',
      queuedBytesMax: 1024 * 1024,
      ...wal,
    },
    state: {
      directory: join(directory, 'state'),
      snapshotDirectory: join(directory, 'snapshots'),
      checkpointEntries: 1e6,
      checkpointMillis: 1e9,
      ...state,
    },
  });
}

/**
 * A service whose log is on a simulated disk. Nothing is synced unless somebody asks for it, so that a power cut takes all that nobody has asked for.
 */
export class SimulatedService {
  readonly commits: Commit[] = [];
  readonly events: StateEvent[] = [];
  recorded = 0;
  private promisedPosition = 0;
  private opened: WalEventLog | undefined;

  private constructor(
    readonly system: SimulatedFileSystem,
    readonly directory: string,
    private readonly onEvent: (event: StateEvent, service: SimulatedService) => void,
  ) {}

  static async open(
    onEvent: (event: StateEvent, service: SimulatedService) => void = () => undefined,
    from?: { readonly image: ServiceImage; readonly commits: readonly Commit[] },
  ): Promise<SimulatedService> {
    const system = SimulatedFileSystem.on(from?.image.log);
    const directory = from?.image.directory ?? newDirectory();
    mkdirSync(directory, { recursive: true });
    const service = new SimulatedService(system, directory, onEvent);
    service.commits.push(...(from?.commits ?? []));
    service.opened = await openService(system, directory, {
      state: { onEvent: (event) => service.heard(event) },
    });
    return service;
  }

  get log(): WalEventLog {
    if (this.opened === undefined) throw new Error('the service is not open yet');
    return this.opened;
  }

  /** Written when it resolves, and not synced. */
  async append(commits: number, number = this.commits.length): Promise<void> {
    for (let at = 0; at < commits; at++) await this.appendNow(number + at);
  }

  appendNow(number = this.commits.length): Promise<void> {
    const commit = countedCommit(number);
    const { position } = this.log.append(commit);
    this.commits.push(commit);
    return this.log.whenDurable(position);
  }

  async checkpoint(): Promise<CheckpointReport> {
    const report = await this.log.checkpoint();
    this.promisedPosition = Math.max(this.promisedPosition, report.position);
    return report;
  }

  assertState(): void {
    ExpectedState.at(this.log.lastPosition, this.commits).assertSame(this.log);
  }

  /** What is left when the power of the log's disk goes now. Of the state everything that was written is left: its syncs are looked at elsewhere. */
  cut(label: string): ServiceCut {
    const directory = newDirectory();
    cpSync(this.directory, directory, { recursive: true });
    return {
      label,
      log: afterPowerCut(this.system.disk),
      directory,
      promised: Math.max(this.promisedPosition, this.opened?.durablePosition ?? 0),
      recorded: this.recorded,
    };
  }

  async close(): Promise<ServiceImage> {
    await this.log.close();
    return { log: this.system.disk.image(), directory: this.directory };
  }

  private heard(event: StateEvent): void {
    this.events.push(event);
    if (event.kind === 'checkpoint-step' && event.step === 'recorded')
      this.recorded = event.position;
    this.onEvent(event, this);
  }
}
