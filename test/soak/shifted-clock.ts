import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRepository } from '../support/repository.js';

const SHIFT_FILE = 'SOAK_CLOCK_SHIFT_FILE';
const POLL_MILLIS = 20;

/**
 * The wall clock of the services, which a soak can set. Every thread of theirs runs this module first, by `--import`, and looks every 20 ms by how many
 * milliseconds its clock is wrong. Monotonic clocks and timers go on as they are, as they do when a real clock is set.
 */
export class ShiftedClock {
  private readonly file: string;

  constructor(directory: string) {
    this.file = join(directory, 'clock-shift');
    this.set(0);
  }

  /** For every process that is to run under it. */
  get environment(): Readonly<Record<string, string>> {
    const module = pathToFileURL(inRepository('dist/test/soak/shifted-clock.js')).href;
    return { NODE_OPTIONS: `--import=${module}`, [SHIFT_FILE]: this.file };
  }

  /** Renamed into place, so that nobody reads half a number. */
  set(shiftMillis: number): void {
    writeFileSync(`${this.file}.new`, String(shiftMillis));
    renameSync(`${this.file}.new`, this.file);
  }
}

const { [SHIFT_FILE]: file } = process.env;
if (file !== undefined) runUnder(file);

function runUnder(shiftFile: string): void {
  const TrueDate = Date;
  const trueNow = Date.now.bind(Date);
  let shiftMillis = 0;
  const look = (): void => {
    try {
      shiftMillis = Number(readFileSync(shiftFile, 'utf8'));
    } catch {
      // No descriptor is left, which is another disturbance: the clock stays as it is.
    }
  };
  look();
  setInterval(look, POLL_MILLIS).unref();
  const now = (): number => trueNow() + shiftMillis;
  // A proxy, so that `instanceof Date` and everything else of it stay as they are.
  globalThis.Date = new Proxy(TrueDate, {
    construct: (target, given: unknown[], as: typeof TrueDate) =>
      Reflect.construct(target, given.length === 0 ? [now()] : given, as) as Date,
    apply: () => new TrueDate(now()).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
  });
}
