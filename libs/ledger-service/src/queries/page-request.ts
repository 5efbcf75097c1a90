import { type CursorValue, decodeCursor, encodeCursor } from '@holdfast/platform';
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

  /** `rows` are those of the page, and the one after it if there is one. */
  pageOf<Row, Item>(
    rows: readonly Row[],
    keyOf: (row: Row) => Key,
    itemOf: (row: Row) => Item,
  ): Page<Item> {
    const ofPage = rows.slice(0, this.limit);
    const last = ofPage.at(-1);
    const more = rows.length > this.limit && last !== undefined;
    return { items: ofPage.map(itemOf), nextCursor: more ? this.cursorAt(keyOf(last)) : null };
  }

  cursorAt(key: Key): string {
    return encodeCursor(this.place.cursorKind, key);
  }
}
