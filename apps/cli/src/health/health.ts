import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import { CliExit } from '../exit-code.js';
import type { Terminal } from '../terminal/terminal.js';

export interface HealthFlags {
  readonly json?: boolean;
}

interface Health {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, string>>;
}

const ANSWER_MILLIS_MAX = 4_000;

/** Whether the service at an address is ready, and what each of its checks says. One attempt, a short one. Throws `SERVICE_UNREACHABLE`. */
export async function health(
  url: string,
  { json }: HealthFlags,
  terminal: Terminal,
): Promise<CliExit> {
  const { ok, text } = await asked(url);
  const told = parsed(text);
  const ready = ok && told.ready === true;
  if (json === true) await terminal.json({ url, ...told, ready }, 2);
  else {
    await terminal.line(`${url} is ${ready ? 'ready' : 'NOT ready'}.`);
    if (typeof told.ready !== 'boolean')
      await terminal.line(
        '  What answers there says nothing of its health: it is no service of Holdfast.',
      );
    for (const [name, state] of Object.entries(told.checks ?? {}))
      await terminal.line(`  ${name}: ${state}`);
  }
  return ready ? CliExit.OK : CliExit.PROBLEMS;
}

async function asked(url: string): Promise<{ readonly ok: boolean; readonly text: string }> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MILLIS_MAX);
    const answer = await fetch(new URL('/health/ready', url), { signal });
    return { ok: answer.ok, text: await answer.text() };
  } catch (error) {
    const { cause = error } = error as Error;
    const reason = errorCode(cause) ?? errorMessage(cause);
    throw new CodedError(
      'SERVICE_UNREACHABLE',
      `${url} does not answer: ${reason}`,
      { url, reason },
      { cause: error },
    );
  }
}

function parsed(text: string): Partial<Health> {
  try {
    const told: unknown = JSON.parse(text);
    return typeof told === 'object' && told !== null ? told : {};
  } catch {
    // Not ours: a proxy's page, or nothing.
    return {};
  }
}
