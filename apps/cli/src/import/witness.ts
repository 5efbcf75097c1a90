import { createHash } from 'node:crypto';

/** An answer that is in the ledger's log, as it can be known again: what stands in the log before it is what stood there when it was given. */
export interface Witness {
  readonly key: string;
  /** The `Holdfast-Position` of the answer. */
  readonly position: string;
  /** Over status, position and body. After a restore another answer may come to have the same position, but not the same time of recording. */
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
  { status, body, position }: ToldAnswer,
): Witness | undefined {
  if (position === undefined) return undefined;
  const told = JSON.stringify([status, position, body]);
  return { key, position, digest: createHash('sha256').update(told).digest('hex') };
}

/** The one that stands later in the log. Positions of one log sort as the bytes that their text stands for. */
export function laterOf(one: Witness | undefined, other: Witness | undefined): Witness | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const [place, otherPlace] = [one, other].map(({ position }) =>
    Buffer.from(position, 'base64url'),
  ) as [Buffer, Buffer];
  return place.compare(otherPlace) > 0 ? one : other;
}
