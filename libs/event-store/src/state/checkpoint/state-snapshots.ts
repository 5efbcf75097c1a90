import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { makeDurableDirectory } from '../../durable-directory.js';
import type { Position } from '../../event.js';
import { EventStoreError, snapshotCancelled } from '../../event-store.errors.js';
import type { HeldPages } from '../database/held-pages.js';
import { provesDamage } from '../model/state-fault.js';
import type {
  DamagedSnapshot,
  ResolvedStateOptions,
  SnapshotEntry,
  SnapshotReport,
  StateStatus,
} from '../model/state-options.js';
import type { StateSource } from '../model/state-source.js';
import { SharedSnapshot, type SnapshotOptions } from '../snapshot/shared-snapshot.js';
import { SnapshotDraft } from '../snapshot/snapshot-draft.js';
import { STOPPED, type WrittenSnapshot } from '../snapshot/snapshot-work.js';
import {
  SNAPSHOTS_KEPT,
  faultOfUse,
  listSnapshots,
  pruneSnapshots,
} from '../snapshot/snapshots.js';
import { SnapshotProof, type SnapshotProofOptions } from '../thread/snapshot-proof.js';
import type { StateJobOptions, StateThread } from '../thread/state-thread.js';

export interface StateSnapshotsParts {
  readonly log: StateSource;
  readonly reader: StateThread;
  readonly pages: HeldPages;
  readonly options: ResolvedStateOptions;
  /** The log is being closed: what runs ends early. */
  readonly closing: AbortSignal;
  /** Each snapshot is one of a checkpoint that was made after it was asked for. */
  readonly checkpoint: () => Promise<unknown>;
  /** The database is not what was written. */
  readonly onDamage: (reason: string, cause: unknown) => void;
}

/** The rest after the first failure of the schedule; it doubles with each. */
const BACK_OFF_MILLIS_MIN = 1_000;

/**
 * The snapshots of one event log, from its opening to its close: they are listed, taken on demand and by schedule, read again before something goes on their
 * strength, and pruned.
 */
export class StateSnapshots {
  /** Or the start, before the first of this process. */
  private takenAt = performance.now();
  /** After one was given up the schedule lets the load go on for a while; after one that failed it waits longer and longer. */
  private restsUntil = 0;
  private backOffMillis = BACK_OFF_MILLIS_MIN;
  private readonly proof: SnapshotProof;
  private readonly shared = new SharedSnapshot((options) => this.make(options));
  /** Usable or not. */
  private listed: readonly SnapshotEntry[] = [];
  /** As they were listed; those of the list above may be found damaged later. */
  private damagedFiles: readonly DamagedSnapshot[] = [];

  constructor(private readonly parts: StateSnapshotsParts) {
    const { reader, options } = parts;
    this.proof = new SnapshotProof({
      thread: reader,
      bytesPerSecond: options.firstVerifyBytesPerSecond,
      onDamage: (snapshot) => options.onEvent({ kind: 'snapshot-damaged', snapshot }),
    });
    this.list();
    for (const { path, reason } of this.unusable())
      options.onEvent({ kind: 'snapshot-refused', path, reason });
  }

  /** Whoever asks while one is made shares it. Rejects with `EVENT_CANCELLED`, and nothing of the file is left; a checkpoint that is under way ends by itself. */
  take(options: SnapshotOptions): Promise<SnapshotReport> {
    return this.shared.join(options);
  }

  /** By schedule, where there is a newer checkpoint, which stands at this position. */
  takeIfDue(checkpointed: number): void {
    const { log, options } = this.parts;
    const { snapshotMillis, snapshotDirectory } = options;
    if (snapshotMillis === 0 || snapshotDirectory === undefined) return;
    const newest = this.usable()[0];
    // Nobody sets the clock that counts within this process, and the log's time counts over its starts: a wall clock that was wrong once would put the next one off until it has come there.
    const loggedMillis =
      newest === undefined ? 0 : log.lastRecordedAtMillis - newest.mark.lastRecordedAtMillis;
    const ageMillis = Math.max(performance.now() - this.takenAt, loggedMillis);
    const isNewer = checkpointed > (newest?.position ?? 0);
    const isDue = ageMillis >= snapshotMillis && performance.now() >= this.restsUntil;
    if (isNewer && isDue && !this.shared.isRunning) this.take({}).catch(() => undefined);
  }

  /** The one that is being made has ended. */
  settled(): Promise<void> {
    return this.shared.settled();
  }

  /** Newest first: those that this program can begin with on this log, and that nothing is known against. */
  usable(): readonly SnapshotEntry[] {
    return this.listed.filter((snapshot) => this.faultOf(snapshot) === undefined);
  }

  /** Reads the usable ones through again, in the thread that reads, and gives those that are whole. Rejects with `EVENT_CANCELLED`. */
  whole(options: SnapshotProofOptions): Promise<readonly SnapshotEntry[]> {
    const signal = AbortSignal.any([options.signal, this.parts.closing]);
    return this.proof.whole(this.usable(), { ...options, signal });
  }

  status(): Pick<StateStatus, 'snapshots' | 'unusableSnapshots' | 'damagedSnapshots'> {
    return {
      snapshots: this.usable(),
      unusableSnapshots: this.unusable(),
      damagedSnapshots: [
        ...this.listed.flatMap((snapshot) => this.damageOf(snapshot) ?? []),
        ...this.damagedFiles,
      ],
    };
  }

  private unusable(): readonly DamagedSnapshot[] {
    const unusable = this.listed.flatMap((snapshot) => this.faultOf(snapshot) ?? []);
    return [...unusable, ...this.damagedFiles];
  }

  private faultOf(snapshot: SnapshotEntry): DamagedSnapshot | undefined {
    const { position, path } = snapshot;
    const reason = faultOfUse(snapshot, this.parts.options, this.parts.log);
    return reason === undefined ? this.damageOf(snapshot) : { position, path, reason };
  }

  private damageOf(snapshot: SnapshotEntry): DamagedSnapshot | undefined {
    const { position, path } = snapshot;
    if (existsSync(path)) return this.proof.damaged([snapshot])[0];
    // By hand, say: a backup would take it along, and nothing may be removed on its strength.
    return { position, path, reason: 'its file is not there any more' };
  }

  private list(): void {
    const { snapshotDirectory } = this.parts.options;
    if (snapshotDirectory === undefined) return;
    const { entries, damaged } = listSnapshots(snapshotDirectory);
    this.listed = entries;
    this.damagedFiles = damaged;
  }

  private async make(options: Required<SnapshotOptions>): Promise<SnapshotReport> {
    const { pages, closing, checkpoint, onDamage } = this.parts;
    const { snapshotDirectory, onEvent } = this.parts.options;
    const signal = AbortSignal.any([options.signal, closing]);
    if (snapshotDirectory === undefined)
      throw new EventStoreError(
        'EVENT_INVALID',
        'this log was opened without a directory for snapshots',
      );
    let outgrown: AbortSignal | undefined;
    try {
      await checkpoint();
      // Events and older snapshots go on the strength of what will be in it.
      makeDurableDirectory(snapshotDirectory);
      // The thread would notice too, but only after its first slice, and with a file in its hands.
      if (signal.aborted) throw snapshotCancelled();
      const { hurry, giveUp } = pages.signals;
      outgrown = giveUp;
      const { path, bytes, mark } = await this.write(snapshotDirectory, {
        ...options,
        signal: AbortSignal.any([signal, giveUp]),
        hurry,
      });
      this.takenAt = performance.now();
      this.backOffMillis = BACK_OFF_MILLIS_MIN;
      this.list();
      await this.prune(path, signal);
      const { position, entries, digest, atMillis } = mark;
      const report = { position: position as Position, path, bytes, entries, digest, atMillis };
      onEvent({ kind: 'snapshot', report });
      return report;
    } catch (cause) {
      const isOutgrown = outgrown?.aborted === true && !signal.aborted;
      const error: unknown = isOutgrown && errorCode(cause) === STOPPED ? outgrown?.reason : cause;
      const code = errorCode(error);
      if (code === STOPPED || code === 'EVENT_CANCELLED') throw snapshotCancelled();
      const reason = errorMessage(error);
      onEvent({ kind: 'snapshot-failed', reason });
      this.rest(isOutgrown);
      if (provesDamage(code)) onDamage(reason, error);
      throw error;
    }
  }

  /**
   * In a file that only this process knows, which gets its name while the log is still this process's own. Stopped exactly between the question and the rename, and
   * fenced meanwhile, it names a snapshot that is whole, of a position that was durable before; where its successor has another history, a start does not use it.
   */
  private async write(
    directory: string,
    options: StateJobOptions,
  ): Promise<WrittenSnapshot & { readonly path: string }> {
    const { log, reader } = this.parts;
    const draft = SnapshotDraft.begin(directory);
    try {
      const bytesPerSecond = this.parts.options.firstVerifyBytesPerSecond;
      const job = { kind: 'snapshot', path: draft.path, bytesPerSecond } as const;
      const answer = await reader.run(job, [], options);
      if (!('snapshot' in answer)) throw new TypeError('a snapshot was asked for');
      const path = join(directory, `${answer.snapshot.mark.position}.snapshot`);
      log.assertUnfenced();
      await draft.publish(path);
      return { ...answer.snapshot, path };
    } finally {
      draft.end();
    }
  }

  /**
   * Keeps the snapshot that was just made and read back, and the newest other that is whole when it is read now: what is unusable takes no place of a usable one.
   * Without such another nothing goes. Cancelled, the next one does it.
   */
  private async prune(made: string, signal: AbortSignal): Promise<void> {
    const [newest, ...others] = this.usable();
    if (newest?.path !== made) return;
    const wanted = SNAPSHOTS_KEPT - 1;
    const whole = await this.proof.whole(others, { signal, wanted }).catch(ignoreCancelling);
    const oldestKept = [newest, ...whole][SNAPSHOTS_KEPT - 1];
    if (oldestKept === undefined) return;
    // Also after reading: what goes may be all that a successor has.
    this.parts.log.assertUnfenced();
    pruneSnapshots(dirname(made), oldestKept.position);
    // The entries of those that stay know whether they are damaged.
    const isKept = ({ position }: { readonly position: Position }): boolean =>
      position >= oldestKept.position;
    this.listed = this.listed.filter(isKept);
    this.damagedFiles = this.damagedFiles.filter(isKept);
  }

  /** As the verifier rests: what a full disk refuses once a second costs a checkpoint and a reading each time. */
  private rest(isOutgrown: boolean): void {
    const { verifyPauseMillis } = this.parts.options;
    this.backOffMillis = Math.min(2 * this.backOffMillis, verifyPauseMillis);
    const millis = isOutgrown ? verifyPauseMillis : this.backOffMillis;
    this.restsUntil = performance.now() + millis;
  }
}

function ignoreCancelling(error: unknown): readonly SnapshotEntry[] {
  if (errorCode(error) === 'EVENT_CANCELLED') return [];
  throw error;
}
