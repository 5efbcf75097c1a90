import { expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PAGES = globSync([
  '*.md',
  'docs/**/*.md',
  'libs/*/README.md',
  'examples/*/README.md',
  'test/data/README.md',
]);

/** As GitHub and editors make them of headings. */
const anchorsOf = (page: string) =>
  Array.from(readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    String(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

it.each(PAGES)('%s links to pages and sections that exist', (page) => {
  const links = Array.from(
    readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g),
    ([link, path = '', anchor]) => ({ link, path, anchor }),
  );
  const broken = links.filter(({ path, anchor }) => {
    const target = path === '' ? page : join(dirname(page), path);
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
  expect(broken).toEqual([]);
});

it.each(globSync('libs/*/README.md'))('%s links to nothing that npm does not have', (page) => {
  const links = readFileSync(page, 'utf8').match(/\]\((?!https?:|#)[^)]*\)/g);
  expect(links ?? []).toEqual([]);
});
