import { setTimeout as sleep } from 'node:timers/promises';

/** The part of the thread that all streams together may take: the writer of the log may live on the same one. */
const SHARE = 0.25;
/** What may be owed before anybody waits: a few events that have just come are never late. */
const OWED_MILLIS_MAX = 20;
/** What is decoded costs about as much as making its text does, which is measured; what a filter leaves out costs this. */
const DECODED_FACTOR = 2;
const EXAMINED_MICROS = 0.1;

/** Holds back reading that costs too much of a thread, one waiting reader after another, so that however many read, whatever else the thread does goes on. */
export class ThreadShare {
  private paidAtMillis = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly monotonicMillis: () => number = () => performance.now(),
    private readonly wait: (millis: number) => Promise<unknown> = sleep,
  ) {}

  /** Some events were read, of so many that were looked at, and this is how long making texts of them took. */
  spent(textMillis: number, examined: number): void {
    const millis = DECODED_FACTOR * textMillis + (examined * EXAMINED_MICROS) / 1_000;
    this.paidAtMillis = Math.max(this.paidAtMillis, this.monotonicMillis()) + millis / SHARE;
  }

  /** Resolves once more may be read. */
  turn(): Promise<void> {
    const turn = this.last.then(async () => {
      const owedMillis = this.paidAtMillis - this.monotonicMillis();
      if (owedMillis > OWED_MILLIS_MAX) await this.wait(owedMillis);
    });
    this.last = turn;
    return turn;
  }
}
