import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';

const HOME = process.cwd();
const LIBRARIES = [
  ...['kernel', 'wal', 'event-store', 'commands', 'projections', 'operations', 'platform'],
  ...['outlets', 'nestjs', 'administration'],
];

describe.each(LIBRARIES)('the README of libs/%s', (library) => {
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

  it('shows the file that is compiled and run', () => {
    expect(block('ts')).toBe(readFileSync(join(HOME, `test/guides/readmes/${library}.ts`), 'utf8'));
  });

  it('names every entry of the package, and no other', () => {
    const manifest = readFileSync(join(HOME, 'libs', library, 'package.json'), 'utf8');
    const { exports } = JSON.parse(manifest) as { exports: Record<string, unknown> };
    const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json'));
    const named = readme.matchAll(new RegExp(`@holdfast/${library}(?:/[a-z-]+)?\\b`, 'g'));
    expect([...new Set(Array.from(named, String))].toSorted()).toEqual(
      entries.map((entry) => join('@holdfast', library, entry)).toSorted(),
    );
  });

  it('says what the example prints', async () => {
    const lines: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((...line) => void lines.push(format(...line)));
    await import(`./readmes/${library}.js`);
    expect(`${lines.join('\n')}\n`).toBe(block('text'));
  });
});
