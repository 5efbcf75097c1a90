import { createHash } from 'node:crypto';
import type { BulkItem, ToldAnswer } from './bulk.js';

/**
 * The recorded answer to a command, sent again under its key and only looked up: that a row is posted or that its transfer was there, or that an account
 * is. As long as it stands in the ledger's log, so does what stood before it when it was given.
 */
export interface Witness extends BulkItem {
  /** The `Holdfast-Position` of the answer. */
  readonly position: string;
  /** Over status, position and body. After a restore another answer may come to stand at the same place, but not in the same timeline, which is in the position. */
  readonly digest: string;
}

export function witnessOf({ key, command }: BulkItem, told: ToldAnswer): Witness | undefined {
  const { position } = told;
  return position === undefined ? undefined : { key, command, position, digest: digestOf(told) };
}

/** Whether the answer stands where it stood. */
export function stands({ digest }: Witness, told: ToldAnswer): boolean {
  return digestOf(told) === digest;
}

/** The one that stands later in the log, if both are of one history. Positions of one log sort as the bytes that their text stands for. */
export function laterOf(one: Witness | undefined, other: Witness | undefined): Witness | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const [place, otherPlace] = [one, other].map(({ position }) =>
    Buffer.from(position, 'base64url'),
  ) as [Buffer, Buffer];
  return place.compare(otherPlace) > 0 ? one : other;
}

function digestOf({ status, position, body }: ToldAnswer): string {
  const told = JSON.stringify([status, position, body]);
  return createHash('sha256').update(told).digest('hex');
}
