/**
 * `npm run bench -- [suite …] [--seconds N] [--rounds N] [--largest N] [--directory PATH] [--against CHECKOUT]`: every suite, or those named. Prints tables, and writes
 * `test/bench/results/<date>.json`. Figures are comparable within one run only.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkpointSuite } from './checkpoint.bench.js';
import { eventsSuite } from './events.bench.js';
import { growthSuite } from './growth.bench.js';
import { projectionsSuite } from './projections.bench.js';
import { restartSuite } from './restart.bench.js';
import { serviceSuite } from './service/service.bench.js';
import { startsSuite } from './service/starts.bench.js';
import type { Suite, SuiteResult } from './suite.js';
import { printSuite } from './table.js';
import { walSuite } from './wal.bench.js';

const SUITES: readonly Suite[] = [
  walSuite,
  eventsSuite,
  projectionsSuite,
  checkpointSuite,
  restartSuite,
  serviceSuite,
  startsSuite,
  growthSuite,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    largest: { type: 'string' },
    against: { type: 'string' },
    directory: { type: 'string', default: 'data/bench' },
  },
});

const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; there are: ${SUITES.map((suite) => suite.name).join(', ')}`,
  );
  process.exit(64);
}
const chosen = SUITES.filter(
  (suite) => positionals.length === 0 || positionals.includes(suite.name),
);
const directory = resolve(values.directory, String(process.pid));
const results: SuiteResult[] = [];
try {
  mkdirSync(directory, { recursive: true });
  for (const suite of chosen) {
    const result = await suite.run({
      directory,
      seconds: Number(values.seconds),
      rounds: Number(values.rounds),
      ...(values.against !== undefined && { against: resolve(values.against) }),
      ...(values.largest !== undefined && { largest: Number(values.largest) }),
      progress: (text) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    printSuite(result);
    results.push(result);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

const date = new Date().toISOString();
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  kernel: release(),
  node: process.version,
};
mkdirSync('test/bench/results', { recursive: true });
const file = join(
  'test/bench/results',
  `${date.slice(0, 10)}-${chosen.map((suite) => suite.name).join('-')}.json`,
);
const figures = results.map(({ name, scenarios }) => ({ name, scenarios }));
writeFileSync(file, `${JSON.stringify({ date, version, machine, results: figures }, null, 2)}\n`);
for (const { name, svg } of results.flatMap(({ plots = [] }) => plots))
  writeFileSync(join('test/bench/results', `${date.slice(0, 10)}-${name}.svg`), svg);
console.log(`written to ${file}`);
