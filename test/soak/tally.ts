/** What a soak counts. */
export class Tally {
  readonly startedAtMillis = performance.now();
  /** By process. */
  readonly kills = new Map<string, number>();
  readonly pauses = new Map<string, number>();
  /** Processes that ended by themselves over a full or failing disk, with their exit codes. */
  readonly endings = new Map<string, number>();
  /** By what was asked of the operator's API, and what came of it. */
  readonly work = new Map<string, number>();
  readonly disturbances = new Map<string, number>();
  /** By how far the clock was wrong. */
  readonly clockJumps = new Map<string, number>();
  /** By process. */
  readonly descriptorLimits = new Map<string, number>();
  /** By when the disk became read-only, and what the processes did. */
  readonly readOnlyDisks = new Map<string, number>();
  /** From the start of a command service to its readiness. */
  readonly recoveryMillis: number[] = [];
  commandsSent = 0;
  answered = 0;
  notApplied = 0;
  unknown = 0;
  queries = 0;
  answersChecked = 0;
  logChecks = 0;
  rebuildChecks = 0;
  rebuilds = 0;
  imports = 0;
  backups = 0;
  restores = 0;
  /** Positions that were seen in the archive only, at most. */
  removedPositions = 0;
  stateProofs = 0;
  withoutServiceMillisMax = 0;
  private answeredAtMillis: number | undefined;

  get elapsedSeconds(): number {
    return (performance.now() - this.startedAtMillis) / 1_000;
  }

  count(counter: Map<string, number>, name: string): void {
    counter.set(name, (counter.get(name) ?? 0) + 1);
  }

  /** A command was answered for good: whoever waited for service has had it. */
  served(): void {
    const now = performance.now();
    if (this.answeredAtMillis !== undefined)
      this.withoutServiceMillisMax = Math.max(
        this.withoutServiceMillisMax,
        now - this.answeredAtMillis,
      );
    this.answeredAtMillis = now;
  }

  /** Nobody asks for a while, so that nobody lacks an answer. */
  nobodyAsks(): void {
    this.answeredAtMillis = undefined;
  }
}

export function totalOf(counter: ReadonlyMap<string, number>): number {
  return [...counter.values()].reduce((sum, count) => sum + count, 0);
}
