import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CliExit } from '../exit-code.js';
import { runCli } from '../testing/run-cli.js';
import { CLI_ERROR_GUIDE } from './cli-error-guide.js';
import { ERROR_GUIDE } from './wal-explain.js';

const SOURCES = ['libs', 'config', 'apps/cli/src'];
/** As the first thing that an error is given: a code, with a word before its first underscore. */
const THROWN = /(?:new [A-Z]\w*|super)\(\s*'([A-Z]+_[A-Z_]+)'/g;

function codesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.spec\.ts$|testing\//.test(file))
    .flatMap((file) => [...readFileSync(join(directory, file), 'utf8').matchAll(THROWN)])
    .map(([, code]) => code ?? '');
}

describe('holdfast wal explain', () => {
  it.each(Object.entries(ERROR_GUIDE))('explains %s', async (code, { meaning, action }) => {
    const { output, exit } = await runCli('wal', 'explain', code.toLowerCase());
    expect([output.trim(), exit]).toEqual([
      `${code}\n\n${meaning}\n\nWhat to do: ${action}`,
      CliExit.OK,
    ]);
  });

  it('leaves out no code that anything of Holdfast throws', () => {
    const thrown = [...new Set(SOURCES.flatMap(codesIn))];
    expect(thrown.length).toBeGreaterThan(30);
    expect(thrown.filter((code) => !(code in ERROR_GUIDE))).toEqual([]);
  });

  it('says which codes there are when it is asked for another', async () => {
    const { output, exit } = await runCli('wal', 'explain', 'EVENT_NONE');
    expect([exit, output]).toEqual([CliExit.NO_INPUT, expect.stringContaining('EVENT_CORRUPT')]);
  });

  it('suggests the code that was meant', async () => {
    const { output } = await runCli('wal', 'explain', 'wal_corupt');
    expect(output).toMatch(/^There is no error code wal_corupt\. Did you mean WAL_CORRUPT\? /);
  });

  it('says of the command line what docs/operations.md says, word for word', () => {
    const printed = readFileSync('docs/operations.md', 'utf8');
    const [, own = ''] = printed.split('## Error codes of the command line');
    const rows = own.matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm);
    expect([...rows].map(([, code, meaning, action]) => ({ code, meaning, action }))).toEqual(
      Object.entries(CLI_ERROR_GUIDE).map(([code, advice]) => ({ code, ...advice })),
    );
  });
});
