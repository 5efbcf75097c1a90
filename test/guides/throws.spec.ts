import { describe, expect, it } from '@jest/globals';
import { EVENT_STORE_ERROR_GUIDE } from '@holdfast/event-store';
import { WAL_ERROR_GUIDE } from '@holdfast/wal';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const GUIDES = { wal: WAL_ERROR_GUIDE, 'event-store': EVENT_STORE_ERROR_GUIDE };
const CODES = Object.values(GUIDES).flatMap((guide) => Object.keys(guide));

/** What the docstrings of a library name behind `@throws`. */
function thrown(library: string): Set<string> {
  const room = join('libs', library, 'src');
  const files = readdirSync(room, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /(?<![.-]spec)\.ts$/.test(file) && !/testing/.test(file));
  const text = sources.map((file) => readFileSync(join(room, file), 'utf8')).join('\n');
  const tags = Array.from(text.matchAll(/@throws [^@]*?(?=\n *\*\/|\n *\* @)/g), ([tag]) => tag);
  return new Set(
    tags.flatMap((tag) =>
      Array.from(tag.matchAll(/`((?:WAL|EVENT)_[A-Z_]+)`/g), ([, code]) => String(code)),
    ),
  );
}

describe.each(['wal', 'event-store'] as const)('the docstrings of libs/%s', (library) => {
  const named = [...thrown(library)];

  it('name errors that there are', () => {
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((code) => !CODES.includes(code))).toEqual([]);
  });

  it('name every error of the library behind some method', () => {
    expect(Object.keys(GUIDES[library]).filter((code) => !named.includes(code))).toEqual([]);
  });
});
