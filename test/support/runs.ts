import { execFileSync } from 'node:child_process';

/** Whether a command is there and succeeds. */
export function runs(command: string, ...parameters: string[]): boolean {
  try {
    execFileSync(command, parameters, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
