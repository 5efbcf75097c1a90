import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';

const ANSWER_MILLIS_MAX = 4_000;

/** Whether the service at an address is ready: what a container's health check asks. One attempt, a short one. */
export async function health(url: string, terminal: Terminal): Promise<CliExit> {
  try {
    const answer = await fetch(new URL('/health/ready', url), {
      signal: AbortSignal.timeout(ANSWER_MILLIS_MAX),
    });
    await terminal.line(await answer.text());
    return answer.ok ? CliExit.OK : CliExit.PROBLEMS;
  } catch (error) {
    terminal.failure(error);
    return CliExit.UNAVAILABLE;
  }
}
