import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, errorMessage } from '@holdfast/kernel';
import { EventStoreError, stateDamaged, stateUnavailable } from '../../event-store.errors.js';
import type { HeldPages } from '../database/held-pages.js';
import type { ScanResult } from '../database/state-scan.js';
import { isPassing, provesDamage } from '../model/state-fault.js';
import type { StateMark } from '../model/state-mark.js';
import type { ResolvedStateOptions, StateStatus } from '../model/state-options.js';
import type { StateThread } from '../thread/state-thread.js';

export interface StateVerifierParts {
  readonly reader: StateThread;
  readonly pages: HeldPages;
  readonly options: ResolvedStateOptions;
  /** The log is being closed. */
  readonly closing: AbortSignal;
  /** The database was read through, and every bit of it is what was written. */
  readonly onWhole: (mark: StateMark, millis: number) => Promise<void>;
  readonly onFailure: (error: EventStoreError) => void;
}

/** The rest before the first reading, after one that came to nothing, and after the first that failed; the last doubles with each. */
const REST_MILLIS = 1_000;

/** Reads the whole database through, again and again, as long as the log is open: what damage has done to it is found within a bounded time. */
export class StateVerifier {
  private running: Promise<void> = Promise.resolve();
  private verified: Omit<StateStatus['verification'], 'givenUp'> = {
    state: 'pending',
    scans: 0,
    lastFullScanAtMillis: undefined,
    lastFullScanMillis: undefined,
  };

  constructor(private readonly parts: StateVerifierParts) {}

  start(): void {
    this.running = this.verify();
  }

  /** It has ended, once the log is being closed. */
  settled(): Promise<void> {
    return this.running;
  }

  status(): StateStatus['verification'] {
    return { ...this.verified, givenUp: this.parts.pages.givenUp };
  }

  /** The database is not what was written, whoever has found it. Returns whether that is news. */
  noteDamage(): boolean {
    const isNews = this.verified.state !== 'damaged';
    this.verified = { ...this.verified, state: 'damaged' };
    return isNews;
  }

  private async verify(): Promise<void> {
    const { firstVerifyBytesPerSecond, verifyBytesPerSecond, verifyPauseMillis } =
      this.parts.options;
    let bytesPerSecond = firstVerifyBytesPerSecond;
    let backOffMillis = REST_MILLIS;
    // The first commands after a start have the machine for themselves.
    await this.rest(REST_MILLIS);
    while (!this.isClosing()) {
      const startedAt = performance.now();
      const scan = await this.scan(bytesPerSecond);
      // Also while closing: the last checkpoint must not be written on top of damage.
      if (scan instanceof EventStoreError) {
        this.parts.onFailure(scan);
        return;
      }
      if (this.isClosing()) return;
      if (scan === undefined) {
        await this.rest((backOffMillis = Math.min(2 * backOffMillis, verifyPauseMillis)));
        continue;
      }
      backOffMillis = REST_MILLIS;
      if (scan.kind === 'whole') {
        await this.noteWhole(scan.mark, performance.now() - startedAt);
        bytesPerSecond = verifyBytesPerSecond;
      }
      // An empty database, or an interrupted scan, proves nothing yet.
      const restMillis =
        scan.kind === 'whole' ? verifyPauseMillis : Math.min(verifyPauseMillis, REST_MILLIS);
      await this.rest(restMillis);
    }
  }

  /** Undefined where it could not be made just now, which was told: it is tried again, less and less often. An error is the end of this process. */
  private async scan(bytesPerSecond: number): Promise<ScanResult | EventStoreError | undefined> {
    const { reader, pages, options, closing } = this.parts;
    const { hurry, giveUp } = pages.signals;
    const signal = AbortSignal.any([closing, giveUp]);
    try {
      const job = { kind: 'scan', bytesPerSecond } as const;
      const answer = await reader.run(job, [], { signal, hurry });
      if (!('scan' in answer)) throw new TypeError('a scan was asked for');
      if (giveUp.aborted && !this.isClosing() && answer.scan.kind === 'stopped') {
        options.onEvent({ kind: 'verify-failed', reason: errorMessage(giveUp.reason) });
        return undefined;
      }
      return answer.scan.kind === 'damaged' ? stateDamaged(answer.scan.reason) : answer.scan;
    } catch (error) {
      const reason = `it could not be read through: ${errorMessage(error)}`;
      const code = errorCode(error);
      if (provesDamage(code)) return stateDamaged(reason, error);
      if (this.isClosing()) return undefined;
      if (!isPassing(code)) return stateUnavailable(reason, error);
      options.onEvent({ kind: 'verify-failed', reason });
      return undefined;
    }
  }

  private noteWhole(mark: StateMark, millis: number): Promise<void> {
    this.verified = {
      state: 'good',
      scans: this.verified.scans + 1,
      lastFullScanAtMillis: Date.now(),
      lastFullScanMillis: millis,
    };
    return this.parts.onWhole(mark, millis);
  }

  private async rest(millis: number): Promise<void> {
    const { closing } = this.parts;
    await pause(millis, undefined, { signal: closing, ref: false }).catch(() => undefined);
  }

  private isClosing(): boolean {
    return this.parts.closing.aborted;
  }
}
