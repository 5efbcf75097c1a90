import { errorCode, errorMessage } from '@holdfast/kernel';
import type { Logger } from '../logging/logger.js';

/** A cause that refused nothing for so long has passed. */
const QUIET_MILLIS = 30_000;

/** Far more than the service's tables and texts name. */
const CAUSES_MAX = 64;

interface Refusing {
  count: number;
  readonly sinceMillis: number;
  readonly passed: NodeJS.Timeout;
}

/**
 * Tells of refusals that were foreseen: one line when a cause begins to refuse requests, and one when it has refused none for a while. Each request has its own
 * line besides, with its status; a stack for each would bury the line that says what is wrong.
 *
 * A cause is a code, or where there is none what the problem says of this occurrence: one problem may have several at a time, and the second must not be silent. What
 * would make more causes than `CAUSES_MAX` is counted under its problem.
 */
export class RefusalsLog {
  private readonly refusing = new Map<string, Refusing>();

  constructor(private readonly logger: Logger) {}

  refused(thrown: unknown, problem: string): void {
    const code = errorCode(thrown);
    const reason = errorMessage(thrown);
    const own = `${problem} ${code ?? reason}`;
    const key = this.refusing.has(own) || this.refusing.size < CAUSES_MAX ? own : problem;
    const known = this.refusing.get(key);
    if (known !== undefined) {
      known.count++;
      known.passed.refresh();
      return;
    }
    const told = code === undefined ? { problem, reason } : { problem, code };
    const passed = setTimeout(() => this.end(key, told), QUIET_MILLIS).unref();
    this.refusing.set(key, { count: 1, sinceMillis: performance.now(), passed });
    // What led to it may be a fault that nobody foresaw: its stack is told this once.
    const cause = thrown instanceof Error ? thrown.cause : undefined;
    this.logger.warn(
      { problem, code, reason, ...(cause !== undefined && { err: cause }) },
      'requests are being refused',
    );
  }

  private end(key: string, cause: Readonly<Record<string, string>>): void {
    const refusing = this.refusing.get(key);
    if (refusing === undefined) return;
    this.refusing.delete(key);
    const { count, sinceMillis } = refusing;
    const seconds = Math.round((performance.now() - sinceMillis - QUIET_MILLIS) / 1_000);
    this.logger.info({ ...cause, count, seconds }, 'requests are not refused any more');
  }
}
