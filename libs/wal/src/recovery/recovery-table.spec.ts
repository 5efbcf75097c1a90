import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  caseOfLastSegment,
  LAST_SEGMENT_CASES,
  type LastSegmentFound,
  OTHER_CASES,
  type RecoveryCase,
} from './recovery-table.js';

const ALL: readonly RecoveryCase[] = [...LAST_SEGMENT_CASES, ...OTHER_CASES];

function tableOf(cases: readonly RecoveryCase[]): string {
  const rows = cases.map(({ label, found, done, refuses }) => {
    const what =
      refuses === undefined ? done : done.replace('refuse', `refuse with \`${refuses}\``);
    return `| \`${label}\` | ${found} | ${what} |`;
  });
  return ['| case | found | done |', '|---|---|---|', ...rows].join('\n');
}

describe('the table of recovery', () => {
  it.each([
    ['of the last segment', LAST_SEGMENT_CASES],
    ['of everything else', OTHER_CASES],
  ] as const)('is printed in docs/file-format.md: %s', (_, cases) => {
    expect(readFileSync('docs/file-format.md', 'utf8')).toContain(tableOf(cases));
  });

  it('has each of its cases named by a test', () => {
    const specs = ['recovery.spec.ts', 'expected-place.spec.ts'];
    const text = specs.map((file) => readFileSync(new URL(file, import.meta.url), 'utf8')).join('');
    const titles = [...text.matchAll(/'([a-z-]+(?:, [a-z-]+)*): /g)].flatMap(([, labels = '']) =>
      labels.split(', '),
    );
    expect([...new Set(titles)].sort()).toEqual(ALL.map(({ label }) => label).sort());
  });

  it('decides by the first case that applies to the last segment', () => {
    const clean: LastSegmentFound = {
      hasFooter: false,
      lastSequence: 7,
      promised: 7,
      isCutShort: false,
      bytesBehind: 0,
      hasFrameBehind: false,
      isSync: true,
      tearBytesMax: 100,
    };
    const torn = { ...clean, bytesBehind: 100 };
    const decided = [
      clean,
      torn,
      { ...torn, bytesBehind: 101 },
      { ...torn, hasFrameBehind: true },
      { ...torn, hasFrameBehind: true, bytesBehind: 101, isSync: false },
      { ...torn, isCutShort: true, hasFrameBehind: true },
      { ...torn, isCutShort: true, promised: 8 },
      { ...clean, promised: 8 },
      { ...torn, promised: 8, hasFooter: true },
    ].map(caseOfLastSegment);
    expect(decided).toEqual([
      'clean-end',
      'torn-tail',
      'longer-than-a-frame',
      'frame-behind-damage',
      'torn-tail',
      'cut-short',
      'promise-damaged',
      'promise-gone',
      'successor-missing',
    ]);
  });
});
