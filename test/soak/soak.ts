/**
 * `npm run soak -- --minutes N [--seed S] [--rate R] [--disk ext4|xfs|none] [--only PATTERN] [--set HOLDFAST_…=…] [--json FILE]`: the services as processes,
 * under clients and faults, with the money check after every restart. Ends with 1 at the first doubt, and keeps what it was about.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type SoakOptions, commandOf, soakOptionsOf } from './soak-options.js';
import { SoakProgress } from './soak-progress.js';
import { tableOf } from './soak-report.js';
import { SoakRun, skippedOf } from './soak-run.js';

const EXIT_DOUBT = 1;
const EXIT_SKIPPED = 2;
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;

async function soak(options: SoakOptions): Promise<number> {
  process.stdout.write(`soak: ${commandOf(options)}\n`);
  const skipped = skippedOf(options);
  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
  if (skipped.length > 0 && options.requireAll) {
    process.stdout.write('HOLDFAST_REQUIRE_ALL is set, so nothing may be skipped\n');
    return EXIT_SKIPPED;
  }
  const run = new SoakRun(options);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void run.end(true).finally(() => process.exit(EXIT_INTERRUPTED)));
  const progress = new SoakProgress(run.tally, options);
  const report = await run.run();
  progress.end();
  process.stdout.write(`${tableOf(report)}\n`);
  if (options.json !== undefined) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (report.passed) return 0;
  process.stdout.write(
    `\n${report.doubt ?? ''}\n\nkept: ${run.directory}\nagain: ${report.command}\n`,
  );
  return EXIT_DOUBT;
}

let options: SoakOptions | undefined;
try {
  options = soakOptionsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
}
// After a doubt there may be clients that still wait for an answer.
process.exit(options === undefined ? EXIT_USAGE : await soak(options));
