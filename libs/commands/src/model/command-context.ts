/** Everything about a command that its body does not say. Made by the caller: deciders read no clock and draw no ids. */
export interface CommandContext {
  /**
   * The present: the log's `now()`, which is max(last recordedAt, clock). The commit must be appended with the same
   * `recordedAtMillis`, so that what an event says of its time is what its envelope says.
   */
  readonly nowMillis: number;
  /** What the wall clock says: nothing takes effect after it, also where the log's time is ahead of it. `nowMillis` when left out. */
  readonly wallMillis?: number | undefined;
  /** A new UUIDv7 in canonical text form: the event's id, and the id of what the command makes. */
  readonly commandId: string;
  /** Who asks: visible ASCII without `/`, 1–128 characters. Keys of different actors never meet. */
  readonly actor: string;
  /** Required, except on commands that are idempotent by name, and on dry runs. */
  readonly idempotency?: Idempotency | undefined;
  /** How long compaction leaves the event of this command's key in the log, at the least; 30 days when left out. */
  readonly keyRetentionMillis?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /** Decide as if in earnest, but know no key and record no rejection; the caller must append nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface Idempotency {
  /** `Idempotency-Key`: visible ASCII, 1–255 characters. */
  readonly key: string;
  /** Over method, path, If-Match and the canonical validated body; opaque here, at most 128 characters. */
  readonly bodyHash: string;
}
