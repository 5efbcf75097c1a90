import { performance } from 'node:perf_hooks';
import { type Clock, errorMessage } from '@holdfast/kernel';
import { type EncodedFrame, SegmentSyncFailed } from '../segment/segment-writer.js';
import { walClosed, WalError } from '../wal.errors.js';
import {
  type Admission,
  type AppendOptions,
  BEFORE_FIRST,
  type Durability,
  type IoMode,
  type Sequence,
} from '../wal.types.js';
import { AdaptiveIo } from './adaptive-io.js';
import type { CommitObserver } from './commit-observer.js';
import { CommitTimers, type CommitTimes } from './commit-timers.js';
import { type FrameLimits, FrameQueue, type PendingFrame } from './frame-queue.js';
import type { SegmentChain } from './segment-chain.js';

export interface GroupCommitOptions extends FrameLimits, CommitTimes {
  readonly durability: Durability;
  readonly groupWindowMillis: number;
  readonly ioMode: IoMode | 'adaptive';
}

/**
 * Group commit: many appends, one write, one fdatasync.
 *
 * Invariant: at most one frame is between its write and its acknowledgement. Recovery relies on it: in a `sync` log only the last
 * frame can be torn, so a valid frame after a bad one proves damage.
 *
 * A frame's place is planned when its first batch is admitted, so that an admitted batch cannot fail for lack of room. After
 * admission the only failure is poison: the first failed write or sync ends this writer, because after a failed fsync the kernel
 * marks the pages clean and a later one says yes to data that is not on the disk.
 */
export class GroupCommit {
  private readonly queue: FrameQueue;
  private readonly io: AdaptiveIo;
  private inFlight: PendingFrame | 'rotation' | 'sync' | undefined;
  private pumpScheduled = false;
  /** Written, but only synced up to `durable`. */
  private written: Sequence;
  private durable: Sequence;
  /** Below `durable` until the first frame of this process is acknowledged. */
  private acknowledged: Sequence = BEFORE_FIRST;
  /** The durable sequence that the last frame carries: the idle frame brings it up to date. */
  private carriedDurable: Sequence;
  private syncRequested = false;
  private failure: WalError | undefined;
  /** What is in the thread pool. It uses the segment's file until it ends, also after a failure. */
  private working: Promise<void> = Promise.resolve();
  private closing = false;
  private readonly timers: CommitTimers;
  private readonly drained: (() => void)[] = [];

  constructor(
    private readonly chain: SegmentChain,
    private readonly options: GroupCommitOptions,
    private readonly observer: CommitObserver,
    private readonly clock: Clock,
    lastSequence: Sequence,
  ) {
    this.queue = new FrameQueue(chain, options, lastSequence);
    this.written = lastSequence;
    this.durable = lastSequence;
    this.carriedDurable = lastSequence;
    this.io = new AdaptiveIo(options.ioMode);
    this.timers = new CommitTimers(
      options,
      () => this.requestSync(),
      () => this.promiseIfQuiet(),
    );
  }

  get lastSequence(): Sequence {
    return this.queue.lastSequence;
  }

  get durableSequence(): Sequence {
    return this.durable;
  }

  /** The last record whose submitter was told: durable in a `sync` log, written in the others. */
  get acknowledgedSequence(): Sequence {
    return this.acknowledged > this.durable ? this.acknowledged : this.durable;
  }

  /** Bytes admitted and not yet acknowledged. */
  get queuedBytes(): number {
    return this.queue.queuedBytes;
  }

  get ioMode(): IoMode {
    return this.io.mode;
  }

  get poison(): WalError | undefined {
    return this.failure;
  }

  /** Admits a batch. Throws before anything is assigned; afterwards the only failure is poison. */
  admit(payloads: readonly Uint8Array[], options: AppendOptions): Admission {
    if (this.failure !== undefined) throw this.failure;
    if (this.closing) throw walClosed();
    const { first, frame } = this.enqueue(payloads);
    if (options.durability === 'sync') frame.needsSync = true;
    this.schedule();
    return { first, last: frame.last, durable: frame.acknowledged };
  }

  /** Resolves once everything admitted before the call is synced. */
  async flush(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const target = this.lastSequence;
    while (this.durable < target) {
      this.requestSync();
      await new Promise<void>((resolve) => this.drained.push(resolve));
      this.throwIfPoisoned();
    }
  }

  /** Ends admission, makes everything durable, and leaves a frame that says so: the next open finds nothing unpromised. */
  async close(): Promise<void> {
    this.closing = true;
    this.timers.stopAwaitingIdleness();
    if (this.failure === undefined) await this.flush().catch(() => undefined);
    await this.quiet();
    if (this.failure === undefined && this.carriedDurable < this.durable) {
      this.enqueueEmptyFrame();
      this.schedule();
      await this.quiet();
    }
    this.timers.stop();
    // The owner closes the files now, and the system gives their numbers to others.
    await this.working;
  }

  private async quiet(): Promise<void> {
    while (
      this.failure === undefined &&
      (this.inFlight !== undefined || this.queue.head !== undefined)
    ) {
      await new Promise<void>((resolve) => this.drained.push(resolve));
    }
  }

  private enqueue(payloads: readonly Uint8Array[]): { first: Sequence; frame: PendingFrame } {
    try {
      return this.queue.add(payloads);
    } catch (error) {
      if (!(error instanceof SegmentSyncFailed)) throw error;
      throw this.fail(error);
    }
  }

  private schedule(): void {
    if (this.pumpScheduled || this.inFlight !== undefined) return;
    this.pumpScheduled = true;
    // Never within append or a microtask: what is appended in one turn of the event loop becomes one frame.
    if (this.options.groupWindowMillis > 0) setTimeout(this.pump, this.options.groupWindowMillis);
    else setImmediate(this.pump);
  }

  private readonly pump = (): void => {
    this.pumpScheduled = false;
    if (this.failure !== undefined || this.inFlight !== undefined) return;
    const frame = this.queue.head;
    if (frame === undefined) {
      if (this.syncRequested && this.durable < this.written) this.working = this.syncOnly();
      else this.becomeIdle();
      return;
    }
    if (frame.segment !== this.chain.current.writer) {
      this.working = this.rotate();
      return;
    }
    this.queue.take();
    this.inFlight = frame;
    if (this.io.mode === 'synchronous') this.commit(frame);
    else this.working = this.commitAsync(frame);
  };

  private commit(frame: PendingFrame): void {
    const startMicros = nowMicros();
    try {
      const encoded = this.encode(frame);
      frame.segment.write(encoded);
      // Crash before the sync has ended: a frame that nobody was told of, which recovery finds whole, torn or not at all (`clean-end`, `torn-tail`).
      // Crash after it: the frame is there, and its submitters learn so from the log rather than from us.
      const synced = this.mustSync(frame);
      if (synced) frame.segment.file.dataSync();
      this.complete(frame, encoded, synced, startMicros);
    } catch (error) {
      this.fail(error);
    }
  }

  private async commitAsync(frame: PendingFrame): Promise<void> {
    const startMicros = nowMicros();
    try {
      const encoded = this.encode(frame);
      await frame.segment.writeAsync(encoded);
      if (this.hasFailed()) return;
      // A crash around the sync leaves what it leaves in `commit`.
      const synced = this.mustSync(frame);
      if (synced) await frame.segment.file.dataSyncAsync();
      if (this.hasFailed()) return;
      this.complete(frame, encoded, synced, startMicros);
    } catch (error) {
      this.fail(error);
    }
  }

  private encode(frame: PendingFrame): EncodedFrame {
    return frame.segment.encode(
      frame.encoder,
      frame.first,
      this.durable,
      this.clock.nowMillis() * 1000,
    );
  }

  private mustSync(frame: PendingFrame): boolean {
    return this.options.durability === 'sync' || frame.needsSync || this.syncRequested;
  }

  /** In this order: the claim, the durable sequence, the watermark, and only then everybody who waits. */
  private complete(
    frame: PendingFrame,
    encoded: EncodedFrame,
    synced: boolean,
    startMicros: number,
  ): void {
    frame.segment.advance(encoded);
    this.written = frame.last;
    this.carriedDurable = this.durable;
    // After the sync and before anyone hears of it: whatever we acknowledge was on disk before a successor's claim, so the
    // successor's recovery scan has seen it.
    this.observer.assertUnfenced();
    if (synced) this.advanceDurable();
    else if (this.options.durability === 'interval') this.timers.written();
    const micros = nowMicros() - startMicros;
    if (synced) this.io.observe(micros);
    this.observer.committed({
      records: encoded.recordCount,
      batches: frame.batches,
      bytes: encoded.bytes.length,
      micros,
      synced,
      ioMode: this.io.mode,
    });
    this.queue.release(frame);
    this.inFlight = undefined;
    this.acknowledged = frame.last;
    frame.resolve();
    this.afterWork();
  }

  private async rotate(): Promise<void> {
    this.inFlight = 'rotation';
    try {
      // A segment that another directory of this name has no predecessor for must not be given a name there.
      this.observer.assertUnfenced();
      const { sealed, seal } = await this.chain.rotate(this.written);
      if (this.hasFailed()) return;
      this.observer.assertUnfenced();
      this.observer.rotated(sealed, seal, this.chain.current);
      this.advanceDurable();
      this.inFlight = undefined;
      this.afterWork();
    } catch (error) {
      this.fail(this.fence() ?? error);
    }
  }

  /** A successor removes the temporary file that is to be the next segment: then it is the reason, and not what the disk says of that. */
  private fence(): unknown {
    try {
      this.observer.assertUnfenced();
      return undefined;
    } catch (error) {
      return isFence(error) ? error : undefined;
    }
  }

  /** For `interval` and `none`: makes durable what was written, with no frame of its own. */
  private async syncOnly(): Promise<void> {
    this.inFlight = 'sync';
    const startMicros = nowMicros();
    try {
      const { writer } = this.chain.current;
      // Only this segment: a rotation has synced the one before. Crash before the sync has ended: any of the frames since the last one may be torn or
      // missing, and nobody was promised them (`torn-tail`).
      if (this.io.mode === 'synchronous') writer.file.dataSync();
      else await writer.file.dataSyncAsync();
      if (this.hasFailed()) return;
      this.io.observe(nowMicros() - startMicros);
      this.observer.assertUnfenced();
      this.advanceDurable();
      this.inFlight = undefined;
      this.afterWork();
    } catch (error) {
      this.fail(error);
    }
  }

  private advanceDurable(): void {
    this.durable = this.written;
    this.syncRequested = false;
    this.timers.synced();
    const { current } = this.chain;
    this.observer.durable(this.durable, current, current.writer.writtenEnd);
  }

  private afterWork(): void {
    for (const wake of this.drained.splice(0)) wake();
    if (this.queue.head !== undefined || this.syncRequested) this.schedule();
    else this.becomeIdle();
  }

  private becomeIdle(): void {
    const isSettled = this.durable === this.written && !this.closing;
    if (isSettled && this.carriedDurable < this.durable) this.timers.awaitIdleness();
  }

  private requestSync(): void {
    this.syncRequested = true;
    this.schedule();
  }

  /**
   * When nothing has happened for a while, an empty frame says how far everything is durable: without it, the last frames of a quiet log would
   * be promised by the watermark alone. It takes the ordinary way, and nobody waits for it.
   */
  private promiseIfQuiet(): void {
    const busy =
      this.queue.head !== undefined || this.inFlight !== undefined || this.durable < this.written;
    if (this.closing || this.failure !== undefined || busy || this.carriedDurable >= this.durable)
      return;
    this.enqueueEmptyFrame();
    this.schedule();
  }

  private enqueueEmptyFrame(): void {
    try {
      const frame = this.queue.addEmpty();
      if (frame !== undefined) frame.needsSync = true;
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * The outcome of everything in flight or queued is unknown from here on, and nothing is written or synced again. Whatever is still in the
   * thread pool finds the failure when it comes back, and tells nobody.
   */
  private fail(cause: unknown): WalError {
    if (this.failure !== undefined) return this.failure;
    const error = isFence(cause) ? cause : poisonedBy(cause, this.durable + 1, this.lastSequence);
    this.failure = error;
    const inFlight = typeof this.inFlight === 'object' ? [this.inFlight] : [];
    const lost = [...inFlight, ...this.queue.takeAll()];
    this.inFlight = undefined;
    this.timers.stop();
    this.observer.poisoned(error);
    for (const frame of lost) frame.reject(error);
    for (const wake of this.drained.splice(0)) wake();
    return error;
  }

  /** Asked again after each wait: an admission may have met the failure meanwhile. */
  private hasFailed(): boolean {
    return this.failure !== undefined;
  }

  private throwIfPoisoned(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

function isFence(error: unknown): error is WalError {
  return error instanceof WalError && error.code === 'WAL_FENCED';
}

function poisonedBy(cause: unknown, firstUnknown: number, lastUnknown: number): WalError {
  return new WalError(
    'WAL_POISONED',
    `a write or sync failed: ${errorMessage(cause)}; the outcome of appends in flight is unknown until the log is reopened`,
    { firstUnknown, lastUnknown },
    { cause },
  );
}

function nowMicros(): number {
  return performance.now() * 1000;
}
