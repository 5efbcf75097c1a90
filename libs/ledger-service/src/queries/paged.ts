import type { CursorValue } from '@holdfast/platform/reading';
import type { Asking } from './asking.js';
import type { Page, PageRequest } from './page-request.js';

/** So many rows are in memory at a time, however many a page may have: one of them may take 100 KiB. */
const PORTION_ROWS = 100;

/** A page of what `portionOf` finds beyond a key, at most `count` rows at a time. */
export function* paged<Key extends CursorValue, Row, Item>(
  page: PageRequest<Key>,
  {
    portionOf,
    keyOf,
    itemOf,
  }: {
    readonly portionOf: (beyond: Key, count: number) => Asking<readonly Row[]>;
    readonly keyOf: (row: Row) => Key;
    readonly itemOf: (row: Row) => Item;
  },
): Asking<Page<Item>> {
  const open = page.begin(keyOf, itemOf);
  let beyond = page.beyond;
  for (;;) {
    // One more than the page has room for says whether there is more.
    const count = Math.min(page.limit + 1 - open.size, PORTION_ROWS);
    const rows = yield* portionOf(beyond, count);
    for (const row of rows) if (!open.takes(row)) return open.ended();
    const last = rows.at(-1);
    if (last === undefined || rows.length < count) return open.ended();
    beyond = keyOf(last);
  }
}
