import type { PostTransfer } from '@holdfast/ledger';
import { createHash } from 'node:crypto';

/** That a row was posted, as it can be known again in the ledger's log: what stands in the log before it is what stood there when it was given. */
export interface Witness {
  readonly key: string;
  /** What was answered: sent again under its key, it is only looked up. */
  readonly command: PostTransfer;
  /** The `Holdfast-Position` of the answer. */
  readonly position: string;
  /** Over status, position and body. After a restore another answer may come to have the same position, but not the same time of recording. A refusal has none, so none is a witness. */
  readonly digest: string;
}

/** What is told of an answer, in a bulk and by its key. */
export interface ToldAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Undefined when it was not recorded. */
  readonly position: string | undefined;
}

export function witnessOf(
  key: string,
  command: PostTransfer,
  told: ToldAnswer,
): Witness | undefined {
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
