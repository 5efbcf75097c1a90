/**
 * A clone runs its commands straight away: what they need is compiled when it is missing or older than the sources. A
 * container image holds no sources and is never compiled again.
 */
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withProgress } from './with-progress.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['apps', 'libs', 'config', 'package.json'];
export const COMPILER = join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
/** As old as the newest source at the start of the last build that went through, so that an edit during it counts. */
const MARKER = join(ROOT, 'dist', '.built');

/** Compiles if a source is newer than what was compiled. Throws when the compiler is missing or finds a mistake. */
export async function buildIfNeeded() {
  if (!existsSync(join(ROOT, 'libs')) || newestSource() <= modifiedMillis(MARKER)) return;
  if (!existsSync(COMPILER))
    throw new Error('dist/ is missing or old, and so is the compiler: run npm ci');
  await build();
}

/** Compiles. Throws when the compiler finds a mistake. */
export async function build() {
  const newest = newestSource();
  const title = 'Compiling what has changed (everything the first time)';
  const status = await withProgress(title, process.execPath, [COMPILER, 'build'], { cwd: ROOT });
  if (status !== 0) throw new Error('the build failed; see above');
  markBuilt(newest);
}

export function newestSource() {
  return Math.max(...sources().map(newestMillis));
}

function sources() {
  const settings = readdirSync(ROOT).filter((name) => /^tsconfig.*\.json$/.test(name));
  return [...SOURCES, ...settings].map((name) => join(ROOT, name)).filter(existsSync);
}

/** Tests do not reach dist/, so an edited test builds nothing. */
function newestMillis(path) {
  if (/(\.spec|-spec|\.contract)\.ts$/.test(path)) return 0;
  if (!statSync(path).isDirectory()) return modifiedMillis(path);
  return Math.max(0, ...readdirSync(path).map((name) => newestMillis(join(path, name))));
}

function modifiedMillis(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Notes that everything up to this moment is compiled. */
export function markBuilt(millis) {
  mkdirSync(dirname(MARKER), { recursive: true });
  writeFileSync(MARKER, '');
  // Rounded up: a file system may keep less than what it is given.
  const seconds = Math.ceil(millis) / 1000;
  utimesSync(MARKER, seconds, seconds);
}
