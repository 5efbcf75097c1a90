import { setTimeout } from 'node:timers/promises';
import { type StateDatabase, imageOf, readMark } from './state-database.js';
import { faultCode, isOfSystem } from '../model/state-fault.js';
import { CHECKSUM_BYTES, MARK_KEY, StateDigest, checksumOf } from '../model/state-entry.js';
import type { StateMark } from '../model/state-mark.js';

export interface ScanOptions {
  /** Bytes of entries a second, at most. */
  readonly bytesPerSecond: number;
  /** Looked at between slices, and while it rests. */
  readonly stopped: () => boolean;
  /** Looked at while it rests: whether it should rest no more. */
  readonly hurried: () => boolean;
}

export type ScanResult =
  | { readonly kind: 'whole'; readonly mark: StateMark }
  /** Nothing has been checkpointed yet. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'damaged'; readonly reason: string };

export interface ScanVisitor {
  readonly begin: (mark: StateMark) => void;
  readonly entry: (image: Uint8Array) => void;
  /** After each slice: so many entries until now. */
  readonly slice?: (entries: number) => void;
}

/** The thread looks for messages, and rests, after this many entries. */
const SLICE_ENTRIES = 1_000;
/** While it rests, it looks so often whether it still may. */
const REST_MILLIS = 100;
/** Below the key of any entry, and none itself. */
const BEFORE_KEYS = Buffer.from([0]);

/**
 * Reads one version of the whole database, against everything that damage could change: each value by its checksum, the order of the keys, that
 * each is found by looking it up (a flipped bit in a branch page hides keys from lookups that a walk over the leaves still sees), and the number and
 * digest of all. The visitor is given each entry in the order of the keys; what it throws is thrown on, for it says nothing of the database; so is what the machine is short of.
 *
 * LMDB gives no page of the version that is read to a checkpoint, nor any that a later one has freed, so the file grows with each checkpoint and never shrinks: `HeldPages` says
 * when to hurry, and when it is enough.
 */
export async function scanState(
  database: StateDatabase,
  options: ScanOptions,
  visitor?: ScanVisitor,
): Promise<ScanResult> {
  // Scans run beside one another in a thread: each has the newest version of the time it begins, and not one that another holds.
  database.resetReadTxn();
  const transaction = database.useReadTransaction();
  const mayRest = (): boolean => !options.stopped() && !options.hurried();
  let visitorFailure: { readonly error: unknown } | undefined;
  const visit = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      visitorFailure = { error };
      throw error;
    }
  };
  try {
    const mark = readMark(database, { transaction });
    if (mark === undefined) return { kind: 'empty' };
    if (mark === 'damaged') return damaged('the mark of the checkpoint fails its checksum');
    visit(() => visitor?.begin(mark));
    const digest = new StateDigest();
    let last = BEFORE_KEYS;
    for (;;) {
      const startedAt = performance.now();
      const slice = Array.from(
        database.getRange({ transaction, start: last, limit: SLICE_ENTRIES }),
        ({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }),
      );
      const images = slice[0]?.key.equals(last) === true ? slice.slice(1) : slice;
      if (images.length === 0) break;
      let bytes = 0;
      for (const { key, value } of images) {
        if (Buffer.compare(last, key) >= 0) return damaged('its keys are out of order');
        last = key;
        const found = database.get(key, { transaction });
        if (found === undefined || Buffer.compare(found, value) !== 0)
          return damaged('a key is not found where it is');
        if (key.equals(MARK_KEY)) continue;
        const image = imageOf(key, value.subarray(CHECKSUM_BYTES));
        if (value.length < CHECKSUM_BYTES || value.readUInt32LE(0) !== checksumOf(image))
          return damaged('a value fails its checksum');
        digest.add(image);
        visit(() => visitor?.entry(image));
        bytes += image.length;
      }
      visitor?.slice?.(digest.entries);
      await rest(startedAt + (1_000 * bytes) / options.bytesPerSecond, mayRest);
      if (options.stopped()) return { kind: 'stopped' };
    }
    if (digest.entries !== mark.entries)
      return damaged(`it has ${digest.entries} entries of ${mark.entries}`);
    if (digest.toString() !== mark.digest)
      return damaged(`its digest is ${digest.toString()} and not ${mark.digest}`);
    return { kind: 'whole', mark };
  } catch (error) {
    // A full disk under a snapshot is no damage to what it was made of.
    if (visitorFailure !== undefined) throw visitorFailure.error;
    // Nor is it when the machine is short of something, or the device does not answer.
    if (isOfSystem(faultCode(error))) throw error;
    return damaged(error instanceof Error ? error.message : String(error));
  } finally {
    transaction.done();
  }
}

/** Until then, or as long as it may; others run in any case. */
async function rest(until: number, mayRest: () => boolean): Promise<void> {
  await setTimeout(0);
  while (performance.now() < until && mayRest())
    await setTimeout(Math.min(REST_MILLIS, Math.max(0, until - performance.now())));
}

function damaged(reason: string): ScanResult {
  return { kind: 'damaged', reason };
}
