import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
// @ts-expect-error -- plain JavaScript, which runs before anything is compiled
import { Shell as PageShell, firstMissing as missing, readPage as read } from '../../bin/page.js';
import { freePorts } from '../support/free-ports.js';

/* Follows docs/tutorial from the packed libraries, in an empty directory outside of the repository: each command runs, and each answer is as the page says. */

interface Part {
  readonly kind: string;
  readonly content: string;
  readonly expected: readonly string[];
}

interface Shell {
  run(commands: string): Promise<string>;
  end(): void;
}

const readPage = read as (markdown: string) => readonly Part[];
const firstMissing = missing as (expected: readonly string[], answer: string) => string | undefined;
const ShellOfPage = PageShell as new (directory: string, stepMillisMax: number) => Shell;

const STEP_MILLIS_MAX = 300_000;
const page = readFileSync('docs/tutorial/README.md', 'utf8');
const chapters = page.split(/^## /m).slice(1);

let directory: string;
let shell: Shell;
let port: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-tutorial-'));
  shell = new ShellOfPage(directory, STEP_MILLIS_MAX);
  [port = 0] = await freePorts(1);
  // However the page ends, what it started does not outlive it.
  await shell.run(`trap 'kill -9 $SERVICE 2>/dev/null' EXIT; export PORT=${port}`);
});

afterAll(async () => {
  await shell.run('kill -9 $SERVICE 2>/dev/null').catch(() => undefined);
  shell.end();
  rmSync(directory, { recursive: true, force: true });
});

const here = (commands: string) =>
  commands.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`).replaceAll('~/holdfast', resolve('.'));

describe('the tutorial', () => {
  it.each(chapters.map((chapter) => [chapter.slice(0, chapter.indexOf('\n')), chapter]))(
    '%s',
    async (_title, chapter) => {
      for (const { kind, content, expected } of readPage(chapter)) {
        const [language, file] = kind.split(' ');
        if (file !== undefined) {
          const path = join(directory, 'bookings', file);
          mkdirSync(dirname(path), { recursive: true });
          appendFileSync(path, content);
        } else if (language === 'sh') {
          const answer = await shell.run(here(content));
          expect([firstMissing(expected, answer), answer]).toEqual([undefined, answer]);
        }
      }
    },
    2 * STEP_MILLIS_MAX,
  );
});
