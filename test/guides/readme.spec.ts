import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

it("the README's five minutes are commands of the tour, which is run", () => {
  const readme = readFileSync('README.md', 'utf8');
  const section = readme.slice(
    readme.indexOf('## Five minutes'),
    readme.indexOf('## What you can rely on'),
  );
  const commands = [...section.matchAll(/```sh\n([^]*?)```/g)].map((match) => match[1]);
  const tour = readFileSync('docs/tour.md', 'utf8');
  expect(commands.length).toBeGreaterThan(3);
  expect(commands.filter((command) => !tour.includes(command ?? ''))).toEqual([]);
});
