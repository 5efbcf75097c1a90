const WINDOW_MILLIS = 5_000;
/** So many slots share the window: what is older than it leaves in steps of this fineness. */
const SLOTS = 20;
const SLOT_MILLIS = WINDOW_MILLIS / SLOTS;

/** Counts per second over the last five seconds, or since the first count when that is less. */
export class RateMeter {
  private readonly counts = new Array<number>(SLOTS).fill(0);
  private slot = 0;
  private startedAt: number | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {}

  count(howMany: number): void {
    this.startedAt ??= this.now();
    this.moveOn();
    const index = this.slot % SLOTS;
    this.counts[index] = (this.counts[index] ?? 0) + howMany;
  }

  perSecond(): number {
    if (this.startedAt === undefined) return 0;
    this.moveOn();
    const millis = Math.min(WINDOW_MILLIS, Math.max(SLOT_MILLIS, this.now() - this.startedAt));
    return (this.counts.reduce((sum, count) => sum + count, 0) * 1_000) / millis;
  }

  private moveOn(): void {
    const present = Math.floor(this.now() / SLOT_MILLIS);
    if (this.slot < present - SLOTS) this.slot = present - SLOTS;
    while (this.slot < present) {
      this.slot += 1;
      this.counts[this.slot % SLOTS] = 0;
    }
  }
}
