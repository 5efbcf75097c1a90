import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

const README = readFileSync('README.md', 'utf8');

const blocks = (language: string, from: string, to: string) =>
  Array.from(
    README.slice(README.indexOf(from), README.indexOf(to)).matchAll(
      new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'),
    ),
    ([, block]) => String(block),
  );

it('shows commands of the tour, which is run', () => {
  const commands = blocks('sh', 'Open a ledger', '## Build your own service');
  const tour = readFileSync('docs/tour.md', 'utf8');
  expect(commands.length).toBeGreaterThan(3);
  expect(commands.filter((command) => !tour.includes(command))).toEqual([]);
});

it('shows the decider of libs/commands, which is run', () => {
  const [shown] = blocks('ts', '## Build your own service', '## Guarantees');
  expect(readFileSync('test/guides/readmes/commands.ts', 'utf8')).toContain(shown);
});
