import type { Position, RecordedEvent } from '@holdfast/event-store';

/**
 * A commit that a projection has refused, or one that waits behind it: it touches what an earlier one of the quarantine touches. Of its events those that the projection handles.
 */
export interface QuarantinedCommit {
  /** Of its first event: what commands name it by. */
  readonly position: Position;
  /** The id of its first event: another history has another event at the position. */
  readonly eventId: string;
  readonly events: number;
  /** The streams of its events, and what else they touch: `Projection.touches`. */
  readonly keys: readonly string[];
  /** How often it was refused. 0: never tried, because it waits behind another. */
  readonly attempts: number;
  /** Of the last attempt. */
  readonly error: string | undefined;
  readonly sinceMillis: number;
  /** Passed over for good, by a `SkipDecision`: nothing waits behind it. */
  readonly skipped: boolean;
}

/** An operator's decision to leave a commit out. It is kept, and holds for tables that are filled later as well, if the commit is refused there too. */
export interface SkipDecision extends Pick<QuarantinedCommit, 'position' | 'eventId' | 'events'> {
  readonly by: string;
  readonly reason: string;
  readonly atMillis: number;
  readonly error: string | undefined;
  readonly content: readonly RecordedEvent[];
}

/** What a transaction changes in the quarantine of its generation. */
export type QuarantineChange =
  | {
      readonly kind: 'put';
      readonly content: readonly [RecordedEvent, ...RecordedEvent[]];
      readonly keys: readonly string[];
      readonly attempts: number;
      readonly error?: string;
      readonly skipped?: boolean;
    }
  | { readonly kind: 'applied' | 'skipped'; readonly position: Position }
  | { readonly kind: 'refused'; readonly position: Position; readonly error: string };

/** What operators have asked for, and nobody has done yet. */
export interface QuarantineOrders {
  /** Of one commit, or of all that was refused. */
  readonly releases: readonly { readonly id: number; readonly position: Position | undefined }[];
  readonly skips: readonly Omit<SkipDecision, 'content'>[];
}

/** The quarantine of the generation that a lease is on. It is changed by `ReadModelLease.transact` alone. */
export interface LeasedQuarantine {
  /** What is not skipped, in the order of the log. */
  waiting(): Promise<readonly QuarantinedCommit[]>;
  contentOf(position: Position): Promise<readonly RecordedEvent[]>;
  orders(): Promise<QuarantineOrders>;
  /** These releases were tried. A crash before that tries them once more. */
  obeyed(releases: QuarantineOrders['releases']): Promise<void>;
}

export interface GenerationQuarantine {
  readonly generation: number;
  readonly version: number;
  readonly state: 'filling' | 'live';
  readonly commits: readonly QuarantinedCommit[];
  /** Releases that its worker has not tried yet. */
  readonly releasesPending: number;
}

/** The quarantines of a projection, for whoever is not its worker: every generation that is not on its way out. Throws `READ_MODEL_UNAVAILABLE`. */
export interface StoredQuarantine {
  /** By number of the generation; those with nothing in them too. */
  list(): Promise<readonly GenerationQuarantine[]>;
  contentOf(generation: number, position: Position): Promise<readonly RecordedEvent[] | undefined>;
  /** Durably asks the workers to try a commit again, or all that were refused, in order. How many generations were asked: 0 when nothing such was refused. */
  release(position: Position | undefined): Promise<number>;
  /** Decides to leave out a commit that was refused. Its workers pass over it. False when no such commit is in any quarantine, or it only waits behind another. */
  skip(
    position: Position,
    decision: { readonly by: string; readonly reason: string },
  ): Promise<boolean>;
  /** Every such decision, in the order of the log. */
  skips(): Promise<readonly SkipDecision[]>;
}
