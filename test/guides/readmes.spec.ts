import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';

const HOME = process.cwd();
const LIBRARIES = ['kernel', 'wal', 'event-store', 'commands', 'projections', 'platform'];

describe.each(LIBRARIES)('the example in the README of libs/%s', (library) => {
  const readme = readFileSync(`libs/${library}/README.md`, 'utf8');
  const block = (language: string) =>
    new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)?.[1];
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'readme-'));
    process.chdir(directory);
  });

  afterEach(() => {
    jest.restoreAllMocks();
    process.chdir(HOME);
    rmSync(directory, { recursive: true });
  });

  it('is the file that is compiled and run', () => {
    expect(block('ts')).toBe(readFileSync(join(HOME, `test/guides/readmes/${library}.ts`), 'utf8'));
  });

  it('prints what the README says', async () => {
    const lines: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((...line) => void lines.push(format(...line)));
    await import(`./readmes/${library}.js`);
    expect(`${lines.join('\n')}\n`).toBe(block('text'));
  });
});
