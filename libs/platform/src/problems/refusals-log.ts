import { errorCode, errorMessage } from '@holdfast/kernel';
import type { Logger } from '../logging/logger.js';

/** A cause that refused nothing for so long has passed. */
const QUIET_MILLIS = 30_000;

interface Refusing {
  count: number;
  readonly sinceMillis: number;
  readonly passed: NodeJS.Timeout;
}

/**
 * Tells of refusals that were foreseen: one line when a cause begins to refuse requests, and one when it has refused none for a while. Each request has its own
 * line besides, with its status; a stack for each would bury the line that says what is wrong.
 *
 * As many causes as problems and codes that the service's tables name: no client can make more.
 */
export class RefusalsLog {
  private readonly refusing = new Map<string, Refusing>();

  constructor(private readonly logger: Logger) {}

  refused(thrown: unknown, problem: string): void {
    const code = errorCode(thrown);
    const key = `${problem} ${code ?? ''}`;
    const known = this.refusing.get(key);
    if (known !== undefined) {
      known.count++;
      known.passed.refresh();
      return;
    }
    const passed = setTimeout(() => this.end(key, { problem, code }), QUIET_MILLIS).unref();
    this.refusing.set(key, { count: 1, sinceMillis: performance.now(), passed });
    // What led to it may be a fault that nobody foresaw: its stack is told this once.
    const cause = thrown instanceof Error ? thrown.cause : undefined;
    this.logger.warn(
      { problem, code, reason: errorMessage(thrown), ...(cause !== undefined && { err: cause }) },
      'requests are being refused',
    );
  }

  private end(key: string, cause: { readonly problem: string; readonly code: string | undefined }) {
    const refusing = this.refusing.get(key);
    if (refusing === undefined) return;
    this.refusing.delete(key);
    const { count, sinceMillis } = refusing;
    const seconds = Math.round((performance.now() - sinceMillis - QUIET_MILLIS) / 1_000);
    this.logger.info({ ...cause, count, seconds }, 'requests are not refused any more');
  }
}
