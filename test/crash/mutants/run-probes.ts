/**
 * Runs the probes against the code that it was compiled with, the one named on the command line first, until one objects; and says so on standard output in
 * one line of JSON. Whatever else ends it is no objection but a broken mutant.
 */
import type { ProbeReport } from './mutant.js';
import { PROBES } from './probes.js';

const [first] = process.argv.slice(2);
const names = Object.keys(PROBES);
const ordered = first === undefined ? names : [first, ...names.filter((name) => name !== first)];
let report: ProbeReport = { probes: 0 };
for (const name of ordered) {
  const objection = await objectionOf(name);
  report = { ...report, probes: report.probes + 1 };
  if (objection === undefined) continue;
  report = { ...report, killedBy: name, what: objection };
  break;
}
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(0);

async function objectionOf(name: string): Promise<string | undefined> {
  const probe = PROBES[name];
  if (probe === undefined) throw new Error(`there is no probe '${name}'`);
  try {
    await probe();
    return undefined;
  } catch (error) {
    const cause = innermost(error);
    // Code that does not run proves nothing of what it would have done.
    if (['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError'].includes(cause.name))
      throw error;
    return String(error instanceof Error ? error.message : error);
  }
}

function innermost(error: unknown): Error {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause instanceof Error ? cause : new Error(String(cause));
}
