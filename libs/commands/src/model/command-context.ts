/** Everything about a command besides its body. Set by the caller: deciders read no clock and draw no ids. */
export interface CommandContext {
  /**
   * The present: the log's `now()`, which is max(last recordedAt, clock). The commit must be appended with the same `recordedAtMillis`, so that event
   * and envelope agree on the time.
   */
  readonly nowMillis: number;
  /** The wall clock. Nothing takes effect after it, even if the log's time is ahead of it. Default `nowMillis`. */
  readonly wallMillis?: number | undefined;
  /** A new UUIDv7 in canonical text form: the id of the event and of whatever the command creates. */
  readonly commandId: string;
  /** Who asks: visible ASCII without `/`, 1 to 128 characters. Keys of different actors never collide. */
  readonly actor: string;
  /** Required, except for commands that are idempotent by name and for dry runs. */
  readonly idempotency?: Idempotency | undefined;
  /** The least time for which compaction keeps the event of this command's key. Default 30 days. */
  readonly keyRetentionMillis?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /** Decides as usual, but ignores keys and records no refusal. The caller must append nothing. */
  readonly dryRun?: boolean | undefined;
}

export interface Idempotency {
  /** `Idempotency-Key`: visible ASCII, 1–255 characters. */
  readonly key: string;
  /** A hash over method, path, If-Match and the canonical validated body; opaque here, at most 128 characters. */
  readonly bodyHash: string;
}
