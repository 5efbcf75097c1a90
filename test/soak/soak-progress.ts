import type { SoakOptions } from './soak-options.js';
import { type Tally, totalOf } from './tally.js';

const TELL_MILLIS = 5_000;

/** A line on standard error every few seconds. */
export class SoakProgress {
  private readonly timer: NodeJS.Timeout;
  private answeredBefore = 0;
  private toldAtMillis = performance.now();

  constructor(
    private readonly tally: Tally,
    private readonly options: SoakOptions,
  ) {
    this.timer = setInterval(() => this.tell(), TELL_MILLIS);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private tell(): void {
    const { tally } = this;
    const now = performance.now();
    const rate = ((tally.answered - this.answeredBefore) * 1_000) / (now - this.toldAtMillis);
    [this.answeredBefore, this.toldAtMillis] = [tally.answered, now];
    const seconds = Math.round(tally.elapsedSeconds);
    process.stderr.write(
      `${seconds} of ${this.options.minutes * 60} s: ${totalOf(tally.disturbances)} disturbances, ` +
        `${totalOf(tally.kills)} kills, ${tally.answered} answers (${Math.round(rate)}/s), ` +
        `${tally.unknown} unknown, ${tally.answersChecked} checked, ${tally.rebuildChecks} rebuilt\n`,
    );
  }
}
