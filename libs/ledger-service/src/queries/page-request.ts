import { type CursorValue, decodeCursor, encodeCursor } from '@holdfast/platform/reading';
import { hash } from 'node:crypto';
import type { FreshPageQuery } from './http/fresh-query.dto.js';

/** One page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** What a list is ordered by: which keys there are, one before them all and one after them all. */
export interface KeyKind<Key extends CursorValue> {
  readonly is: (value: unknown) => value is Key;
  readonly beforeFirst: Key;
  readonly afterLast: Key;
}

/** Names and ids, none of which holds a character beyond ASCII. */
export const textKeys: KeyKind<string> = {
  is: (value) => typeof value === 'string',
  beforeFirst: '',
  afterLast: '\u{10ffff}',
};

export type NumbersKey = readonly [number, number];

export const numbersKeys: KeyKind<NumbersKey> = {
  is: (value): value is NumbersKey =>
    Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger),
  beforeFirst: [Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  afterLast: [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** What the items of one page may have as JSON together: an answer of more keeps a thread of queries, and memory, for too long. */
export const PAGE_BYTES_MAX = 1024 * 1024;
const SELECTION_HASH_CHARACTERS = 16;

/** The same as plain data, for another thread. */
export interface PagePlace<Key extends CursorValue> {
  readonly limit: number;
  readonly forward: boolean;
  /** The key of the last entry of the page before. */
  readonly beyond: Key;
  /** Of which list, and of which selection of it. */
  readonly cursorKind: string;
}

/**
 * A place in one list: beyond which key the page lies, and how to go on from its end. Entries are found by their key, never by
 * counting, so entries that come in between two pages neither repeat nor hide any other.
 */
export class PageRequest<Key extends CursorValue> {
  readonly limit: number;
  readonly forward: boolean;
  /** The key of the last entry of the page before. */
  readonly beyond: Key;

  constructor(readonly place: PagePlace<Key>) {
    this.limit = place.limit;
    this.forward = place.forward;
    this.beyond = place.beyond;
  }

  /** `list` names the list and all that selects its entries. Throws `ProblemException` `cursor-invalid`. */
  static of<Key extends CursorValue>(
    [name, ...selection]: readonly [name: string, ...selection: CursorValue[]],
    query: FreshPageQuery,
    keys: KeyKind<Key>,
  ): PageRequest<Key> {
    const forward = query.direction !== 'backward';
    // Hashed, because a selection may be longer than a cursor.
    const selected = hash('sha256', JSON.stringify([forward, selection]), 'base64url');
    const cursorKind = `${name}:${selected.slice(0, SELECTION_HASH_CHARACTERS)}`;
    const start = forward ? keys.beforeFirst : keys.afterLast;
    const beyond =
      query.cursor === undefined ? start : decodeCursor(cursorKind, query.cursor, keys.is);
    return new PageRequest({ limit: query.pageSize(), forward, beyond, cursorKind });
  }

  /** For SQL: `WHERE key ${comparison} ? ORDER BY key ${order} LIMIT ?`, the limit being `limit` + 1 to see whether there is more. */
  get comparison(): '>' | '<' {
    return this.forward ? '>' : '<';
  }

  get order(): 'ASC' | 'DESC' {
    return this.forward ? 'ASC' : 'DESC';
  }

  /**
   * `rows` are those of the page, and the one after it if there is one; only those that fit are taken. A page that would have more bytes than `bytesMax` ends
   * before its limit, with at least one item.
   */
  pageOf<Row, Item>(
    rows: Iterable<Row>,
    keyOf: (row: Row) => Key,
    itemOf: (row: Row) => Item,
    bytesMax = PAGE_BYTES_MAX,
  ): Page<Item> {
    const page = this.begin(keyOf, itemOf, bytesMax);
    for (const row of rows) if (!page.takes(row)) break;
    return page.ended();
  }

  /** The same row by row. */
  begin<Row, Item>(
    keyOf: (row: Row) => Key,
    itemOf: (row: Row) => Item,
    bytesMax = PAGE_BYTES_MAX,
  ): OpenPage<Row, Item> {
    return new OpenPage(this.limit, bytesMax, itemOf, (last) => this.cursorAt(keyOf(last)));
  }

  cursorAt(key: Key): string {
    return encodeCursor(this.place.cursorKind, key);
  }
}

/** A page that is being filled. */
class OpenPage<Row, Item> {
  private readonly items: Item[] = [];
  private bytes = 0;
  private last: Row | undefined;
  private isCut = false;

  constructor(
    private readonly limit: number,
    private readonly bytesMax: number,
    private readonly itemOf: (row: Row) => Item,
    private readonly cursorAt: (last: Row) => string,
  ) {}

  get size(): number {
    return this.items.length;
  }

  /** False once the page is full without this row, which only says that there is more. */
  takes(row: Row): boolean {
    const item = this.items.length < this.limit ? this.itemOf(row) : undefined;
    this.bytes += item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item));
    this.isCut = this.last !== undefined && (item === undefined || this.bytes > this.bytesMax);
    if (this.isCut || item === undefined) return false;
    this.items.push(item);
    this.last = row;
    return true;
  }

  ended(): Page<Item> {
    const { items, last, isCut } = this;
    return { items, nextCursor: isCut && last !== undefined ? this.cursorAt(last) : null };
  }
}
