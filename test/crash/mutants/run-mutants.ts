/**
 * `npm run test:mutants`: the test of the tests. Takes away one sync, check or ordering at a time and expects that some probe objects. A mutant that
 * nobody objects to, or that fails by not running at all, fails the run, as does an objection to the unchanged code.
 *
 * `npm run test:mutants -- <words>` runs the mutants whose names hold the words, and not the unchanged code.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { errorMessage } from '@holdfast/kernel';
import type { Mutant, ProbeReport } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { MutationBench } from './mutation-bench.js';

const MUTANTS_MIN = 100;
/** All probes on a busy machine; only a mutant that hangs takes so long. */
const PROBES_MILLIS_MAX = 300_000;
const WHAT_CHARACTERS_MAX = 220;

interface Verdict {
  readonly mutant: Mutant;
  readonly isKilled: boolean;
  readonly text: string;
  readonly millis: number;
}

const words = process.argv.slice(2).join(' ');
const chosen = MUTANTS.filter(({ name }) => name.includes(words));
const started = performance.now();
const bench = new MutationBench();
const verdicts: Verdict[] = [];
let failure: unknown;
try {
  const jobs = chosen.map((mutant) => () => judge(mutant));
  if (words === '') jobs.unshift(controlPasses);
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  if (MUTANTS.length < MUTANTS_MIN)
    throw new Error(`there are ${MUTANTS.length} mutants, and at least ${MUTANTS_MIN} belong here`);
} catch (error) {
  failure = error;
} finally {
  bench.remove();
}
const killed = verdicts.filter(({ isKilled }) => isKilled).length;
const seconds = ((performance.now() - started) / 1000).toFixed(0);
process.stdout.write(
  `\nmutants: ${killed} killed, ${verdicts.length - killed} survived or broken, ${seconds} s\n`,
);
for (const { mutant, isKilled, text } of verdicts)
  if (!isKilled) process.stdout.write(`  ${mutant.name} (${mutant.file}): ${text}\n`);
if (failure !== undefined) process.stdout.write(`${errorMessage(failure)}\n`);
if (failure !== undefined || killed < chosen.length) process.exitCode = 1;

/** The same probes on the same kind of copy, without a mutant: whoever objects here would object to anything. */
async function controlPasses(): Promise<void> {
  const begun = performance.now();
  const report = await runProbes(bench.control());
  if (typeof report === 'string') throw new Error(`the unchanged code does not run: ${report}`);
  if (report.killedBy !== undefined)
    throw new Error(
      `the unchanged code is objected to by '${report.killedBy}': ${report.what ?? ''}`,
    );
  const millis = (performance.now() - begun).toFixed(0);
  process.stdout.write(`the unchanged code passes all ${report.probes} probes (${millis} ms)\n`);
}

async function judge(mutant: Mutant): Promise<void> {
  const begun = performance.now();
  const outcome = await outcomeOf(mutant);
  const verdict = { mutant, millis: performance.now() - begun, ...outcome };
  verdicts.push(verdict);
  print(verdict);
}

async function outcomeOf(mutant: Mutant): Promise<Pick<Verdict, 'isKilled' | 'text'>> {
  let program: string;
  try {
    program = bench.plant(mutant);
  } catch (error) {
    return { isKilled: false, text: `cannot be made: ${errorMessage(error)}` };
  }
  const report = await runProbes(program, mutant.probe);
  bench.clear(program);
  if (typeof report === 'string') return { isKilled: false, text: `does not run: ${report}` };
  const { killedBy, what, probes } = report;
  if (killedBy === undefined) return { isKilled: false, text: `survived all ${probes} probes` };
  return { isKilled: true, text: `${killedBy}: ${what ?? ''}` };
}

/** What the probes say, or how they ended without saying anything. */
function runProbes(program: string, first?: string): Promise<ProbeReport | string> {
  const child = spawn(process.execPath, [program, ...(first === undefined ? [] : [first])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const timeout = setTimeout(() => child.kill('SIGKILL'), PROBES_MILLIS_MAX);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timeout);
      const line = Buffer.concat(output).toString();
      if (code === 0 && line.startsWith('{')) resolve(JSON.parse(line) as ProbeReport);
      else
        resolve(`ended with ${signal ?? String(code)}: ${Buffer.concat(errors).toString().trim()}`);
    });
  });
}

function print({ mutant, isKilled, text, millis }: Verdict): void {
  const line = text.replaceAll('\n', ' ').slice(0, WHAT_CHARACTERS_MAX);
  const sign = isKilled ? 'killed by' : 'NOT KILLED:';
  process.stdout.write(`${mutant.name} → ${sign} ${line} (${millis.toFixed(0)} ms)\n`);
}
