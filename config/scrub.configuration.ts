import { BytesVariable, IntegerVariable } from './variable.js';

const MEBIBYTE = 1024 * 1024;

/** How the log is read over and over, so that damage is found before somebody needs what it has hit. */
export class ScrubConfiguration {
  @BytesVariable('HOLDFAST_SCRUB_BYTES_PER_SECOND', {
    default: 8 * MEBIBYTE,
    min: 0,
    max: 1024 * MEBIBYTE,
    meaning:
      'The average rate at which finished segments of the log are read again and compared with their digests. 0 turns it off.',
  })
  readonly bytesPerSecond!: number;

  @IntegerVariable('HOLDFAST_SCRUB_PAUSE_SECONDS', {
    default: 3_600,
    min: 1,
    max: 2_592_000,
    meaning:
      'The pause after each reading of the whole log. The first reading begins after a minute, or after this pause if it is shorter.',
  })
  readonly pauseSeconds!: number;
}
