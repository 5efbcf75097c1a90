import { expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const page = readFileSync('docs/tutorial/README.md', 'utf8');

it('the tutorial writes the example, file by file', () => {
  const written = new Map<string, string>();
  for (const [, file = '', part = ''] of page.matchAll(/^```(?:ts|json) (\S+)\n([^]*?)^```/gm))
    written.set(file, (written.get(file) ?? '') + part);
  const files = globSync('examples/bookings/{src/*.ts,tsconfig.json}');
  expect(Object.fromEntries(written)).toEqual(
    Object.fromEntries(
      files.map((file) => [relative('examples/bookings', file), readFileSync(file, 'utf8')]),
    ),
  );
});

it('the example has at most 260 lines with its tests', () => {
  const lines = globSync('examples/bookings/src/*.ts', { exclude: ['**/does-not-compile.ts'] })
    .map((file) => readFileSync(file, 'utf8').split('\n').length - 1)
    .reduce((sum, count) => sum + count, 0);
  expect(lines).toBeLessThanOrEqual(260);
});
