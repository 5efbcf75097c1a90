import { describe, it } from '@jest/globals';
import { runs } from '../../support/runs.js';

export { runs };

/**
 * Describes tests that need something of the machine. Where it is missing they are reported as skipped, by name; with
 * `HOLDFAST_REQUIRE_ALL=1`, which CI sets, a missing requirement fails instead.
 */
export function describeWith(
  requirement: string,
  isMet: () => boolean,
  name: string,
  tests: () => void,
): void {
  if (isMet()) describe(name, tests);
  else if (process.env['HOLDFAST_REQUIRE_ALL'] === '1') {
    it(`${name} (needs ${requirement})`, () => {
      throw new Error(`HOLDFAST_REQUIRE_ALL is set, and this machine lacks ${requirement}`);
    });
  } else {
    describe(name, () => {
      // Says what the machine lacks; CI turns it into a failure
      it.skip(`needs ${requirement}`, () => undefined);
    });
  }
}

/** Whether system calls can be traced and tampered with here. */
export function canInject(): boolean {
  return runs(
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'inject=fdatasync:error=EIO:when=1',
    'true',
  );
}
