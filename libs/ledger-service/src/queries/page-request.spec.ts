import { describe, expect, it } from '@jest/globals';
import { PAGE_BYTES_MAX, PageRequest, numbersKeys } from './page-request.js';
import { FreshPageQuery } from './http/fresh-query.dto.js';

/** Every page of a list of texts, each of so many bytes as JSON. */
function pagesOf(bytes: readonly number[], limit: number): number[][] {
  const query = Object.assign(new FreshPageQuery(), { limit: String(limit) });
  const pages: number[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    if (cursor !== '') query.cursor = cursor;
    const page = PageRequest.of(['spec'], query, numbersKeys);
    const [after] = page.beyond;
    const rows = bytes.map((size, index) => ({ index, size })).filter(({ index }) => index > after);
    const { items, nextCursor } = page.pageOf(
      rows,
      ({ index }) => [index, 0],
      ({ size }) => 'x'.repeat(size - '""'.length),
    );
    pages.push(items.map((item) => item.length + '""'.length));
    cursor = nextCursor;
  }
  return pages;
}

describe('a page', () => {
  const third = Math.floor(PAGE_BYTES_MAX / 3);

  it('ends before its limit when it would have too many bytes, and its cursor goes on from there', () => {
    expect(pagesOf([third, third, third, 10, 10], 4)).toEqual([
      [third, third, third],
      [10, 10],
    ]);
    expect(pagesOf([10, third, third, third, 10], 1_000)).toEqual([
      [10, third, third],
      [third, 10],
    ]);
  });

  it('has one item at least, however large that is', () => {
    const large = 2 * PAGE_BYTES_MAX;
    expect(pagesOf([large, large, 10, large], 1_000)).toEqual([[large], [large], [10], [large]]);
  });

  it('ends at its limit, and has no cursor when there is nothing after it', () => {
    expect(pagesOf([5, 5, 5, 5], 2)).toEqual([
      [5, 5],
      [5, 5],
    ]);
    expect(pagesOf([], 2)).toEqual([[]]);
  });
});
