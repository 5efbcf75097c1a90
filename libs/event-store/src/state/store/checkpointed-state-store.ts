import { setImmediate } from 'node:timers/promises';
import { defined, errorMessage } from '@holdfast/kernel';
import { CheckpointChunks } from './checkpoint-chunks.js';
import {
  ABSENT,
  CheckpointedSection,
  type Layer,
  type SectionOwner,
} from './checkpointed-section.js';
import {
  type EventStoreError,
  logClosed,
  stateDamaged,
  stateUnavailable,
} from '../../event-store.errors.js';
import { faultCode, isOfSystem } from '../model/state-fault.js';
import { type StateDatabase, readMark } from '../database/state-database.js';
import type { StateMark } from '../model/state-mark.js';
import type { StateSection, StateStore } from '../../state-store.js';
import { StateTree } from '../pages/state-tree.js';

export interface CheckpointedStateStoreOptions {
  /** Values kept of those that were read from the database. */
  readonly cacheEntries: number;
  /** The file of the database. */
  readonly databaseFile: string;
  /** Told once that the database is not what was written. Everything read from it is in doubt. */
  readonly onDamage: (error: EventStoreError) => void;
}

/** What has changed between two commits of the log, in all sections: one checkpoint writes it. */
export interface FrozenOverlay {
  readonly layers: ReadonlyMap<string, Layer>;
  readonly entries: number;
}

/** How long encoding holds the event loop at a time, on a loop with little to do. */
const SLICE_MILLIS = 1;
/** On a busy one, this part of the time that the others took since the last slice: or a bulk load, turn by turn, would keep a checkpoint from its end for minutes. */
const SLICE_OF_OTHERS = 1 / 8;
/** How often to look at the clock. */
const SLICE_ENTRIES = 32;

/**
 * State that is in memory as far as it changed lately, and in LMDB for the rest. Reads are synchronous: the changes since the last checkpoint, those that
 * are being checkpointed, a bounded cache, and then the database, a microsecond or two away.
 *
 * Who checkpoints: `freeze` at a commit boundary, `encode`, have a thread write it, `retire`. More may be frozen before the first was retired; they are
 * retired in the order in which they were frozen.
 */
export class CheckpointedStateStore implements StateStore, SectionOwner {
  activeEntries = 0;
  private readonly sections = new Map<string, CheckpointedSection>();
  private readonly frozen: FrozenOverlay[] = [];
  private loadedEntries = 0;
  private damage: EventStoreError | undefined;
  private doubted: StateTree | undefined;
  private closed = false;
  /** The whole database was read through since the start. */
  isTrusted = false;

  constructor(
    private readonly database: StateDatabase,
    private mark: StateMark | undefined,
    private readonly options: CheckpointedStateStoreOptions,
  ) {}

  section<Value extends object | string | number>(name: string): StateSection<Value> {
    let section = this.sections.get(name);
    if (section === undefined) {
      section = new CheckpointedSection(name, this);
      this.sections.set(name, section);
    }
    // The caller names the type of a section's values; the entries themselves do not know it.
    return section as StateSection<object | string | number> as StateSection<Value>;
  }

  /** Throws `EVENT_LOG_CLOSED`: what cannot be read because it was closed says nothing against the database. */
  assertOpen(): void {
    if (this.closed) throw logClosed();
  }

  get populated(): StateDatabase | undefined {
    if (this.damage !== undefined) throw this.damage;
    return this.mark === undefined ? undefined : this.database;
  }

  /** What is not in the database yet. */
  get overlayEntries(): number {
    return this.frozen.reduce((sum, { entries }) => sum + entries, this.activeEntries);
  }

  /** Between two commits: what has changed since the last time, and from now on never changes again. */
  freeze(): FrozenOverlay {
    const layers = new Map(
      Array.from(this.sections, ([name, section]) => [name, section.freeze()]),
    );
    const overlay = { layers, entries: this.activeEntries };
    this.frozen.push(overlay);
    this.activeEntries = 0;
    return overlay;
  }

  /** What was frozen, for the thread that writes it. Lets others run between short slices. */
  async encode({ layers }: FrozenOverlay): Promise<Uint8Array<ArrayBuffer>[]> {
    const chunks = new CheckpointChunks();
    let sliceEndsAt = performance.now() + SLICE_MILLIS;
    let entries = 0;
    for (const [name, layer] of layers) {
      const section = defined(this.sections.get(name), 'a section');
      for (const [key, value] of layer) {
        chunks.add(section.imageHeadOf(key), value === ABSENT ? undefined : JSON.stringify(value));
        if (++entries % SLICE_ENTRIES !== 0 || performance.now() < sliceEndsAt) continue;
        const pausedAt = performance.now();
        await setImmediate();
        const resumedAt = performance.now();
        const slice = Math.max(SLICE_MILLIS, (resumedAt - pausedAt) * SLICE_OF_OTHERS);
        sliceEndsAt = resumedAt + slice;
      }
    }
    return chunks.finish();
  }

  /** The checkpoint of what was frozen first is on the disk: from here on, that is read from the database. */
  retire(mark: StateMark): void {
    // This thread's view of the database may be of a moment before the checkpoint.
    this.database.resetReadTxn();
    const seen = this.readMark();
    if (seen === 'damaged' || seen?.digest !== mark.digest || seen.position !== mark.position)
      this.damaged('it does not show the checkpoint that was written');
    this.mark = mark;
    const { layers } = defined(this.frozen.shift(), 'a frozen overlay');
    // A section that is younger than the overlay has no layer in it.
    for (const name of layers.keys()) defined(this.sections.get(name), 'a section').retire();
  }

  private readMark(): ReturnType<typeof readMark> {
    try {
      return readMark(this.database);
    } catch (cause) {
      return this.unreadable(cause);
    }
  }

  loaded(): void {
    if (++this.loadedEntries < this.options.cacheEntries / 2) return;
    this.loadedEntries = 0;
    for (const section of this.sections.values()) section.age();
  }

  /** It was read through, and is whole: from here on it is believed that a key is absent. */
  trust(): void {
    this.isTrusted = true;
    this.closeDoubted();
  }

  /** Before the database is: from here on nothing is read, and nobody is told of damage. */
  close(): void {
    this.closed = true;
    this.closeDoubted();
  }

  /**
   * Before the first read, where absent keys will be confirmed: the file stays open, so that a process that runs out of descriptors can still read. Throws what opening
   * it throws, and `EVENT_STATE_DAMAGED`.
   */
  prepare(): void {
    if (!this.isTrusted && this.mark !== undefined) this.doubtedTree();
  }

  /** A flipped bit hides keys, and a hidden idempotency key would move money twice. */
  assertAbsent(key: Buffer): void {
    if (this.isTrusted) return;
    let fault: string | undefined;
    try {
      fault = this.doubtedTree().faultOfAbsence(key);
    } catch (cause) {
      this.unreadable(cause);
    }
    if (fault !== undefined) this.damaged(fault);
  }

  private doubtedTree(): StateTree {
    return (this.doubted ??= new StateTree(this.options.databaseFile));
  }

  /** Throws `EVENT_STATE_UNAVAILABLE` where the machine is to blame: the next read may succeed. Otherwise as `damaged`. */
  unreadable(cause: unknown): never {
    if (isOfSystem(faultCode(cause)))
      throw stateUnavailable(`it cannot be read: ${errorMessage(cause)}`, cause);
    return this.damaged('it cannot be read', cause);
  }

  private closeDoubted(): void {
    this.doubted?.close();
    this.doubted = undefined;
  }

  /** Throws `EVENT_STATE_DAMAGED`, now and at every further read from the database. */
  damaged(reason: string, cause?: unknown): never {
    this.damage ??= stateDamaged(reason, cause);
    this.options.onDamage(this.damage);
    throw this.damage;
  }
}
