import { describe, expect, it } from '@jest/globals';
// @ts-expect-error -- plain JavaScript that runs before anything is compiled
import * as imported from '../../bin/architecture/imports.js';
// @ts-expect-error -- as above
import * as sizes from '../../bin/architecture/sizes.js';

type Arrow = readonly [string, string];
interface Room {
  readonly name: string;
  readonly folders: readonly string[];
  readonly arrows: readonly Arrow[];
}
interface Architecture {
  readonly rooms: readonly Room[];
  readonly arrows: readonly Arrow[];
}

const { architecture, circlesOf, reduced } = imported as {
  architecture: (measured: { files: readonly string[]; imports: readonly Arrow[] }) => Architecture;
  circlesOf: (drawn: Architecture) => readonly { name: string; within: readonly string[] }[];
  reduced: (arrows: readonly Arrow[]) => readonly Arrow[];
};
const { sizeFaults } = sizes as {
  sizeFaults: (
    files: readonly string[],
    textOf: (file: string) => string,
    exceptions: { crowdedFolders: readonly string[]; longFiles: readonly string[] },
  ) => readonly string[];
};

const measured = (...imports: readonly Arrow[]) => ({
  files: [...new Set(imports.flat())],
  imports,
});

describe('the picture of the architecture', () => {
  const index = 'libs/wal/src/index.ts';
  const door = 'libs/wal/src/reading/index.ts';
  const errors = 'libs/wal/src/wal.errors.ts';
  const frame = 'libs/wal/src/format/frame.ts';
  const scan = 'libs/wal/src/read/scan.ts';
  const assertion = 'libs/kernel/src/assert.ts';

  it('tells a root file that a folder imports from the entry, and doors from folders', () => {
    const drawn = architecture(
      measured([index, scan], [door, scan], [scan, frame], [frame, errors], [errors, assertion]),
    );
    expect(drawn).toEqual({
      rooms: [
        { name: 'kernel', folders: ['entry'], arrows: [] },
        {
          name: 'wal',
          folders: ['entry', 'format', 'read', 'words'],
          arrows: [
            ['entry', 'read'],
            ['format', 'words'],
            ['read', 'format'],
          ],
        },
      ],
      arrows: [['wal', 'kernel']],
    });
    expect(circlesOf(drawn)).toEqual([]);
  });

  it('finds folders that import one another, also by way of a root file', () => {
    const drawn = architecture(
      measured([index, scan], [scan, frame], [frame, errors], [errors, scan]),
    );
    expect(circlesOf(drawn)).toEqual([{ name: 'wal', within: ['format', 'read', 'words'] }]);
  });

  it('leaves out an arrow that follows from others, and none of a circle', () => {
    expect(
      reduced([
        ['a', 'b'],
        ['b', 'c'],
        ['a', 'c'],
      ]),
    ).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    const circle: readonly Arrow[] = [
      ['a', 'b'],
      ['b', 'a'],
    ];
    expect(reduced(circle)).toEqual(circle);
  });
});

describe('the size of a room', () => {
  const none = { crowdedFolders: [], longFiles: [] };
  const folder = (count: number) =>
    Array.from({ length: count }, (_, at) => `libs/wal/src/read/${at}.ts`);
  const text = (comment: string, lines: number) =>
    `${comment}\n`.padEnd(comment.length + lines, '\n');

  it('is twenty files a folder', () => {
    expect(sizeFaults(folder(20), () => '', none)).toEqual([]);
    expect(sizeFaults(folder(21), () => '', none)).toEqual([
      'libs/wal/src/read has more than 20 source files',
    ]);
  });

  it.each([
    ['400 lines', '', 400, false],
    ['401 lines', '', 401, true],
    ['a reason', '/** All cases. Long because they are read together. */', 401, false],
    ['a reason in lines', "import x from 'x';\n// All cases.\n// Long because …", 401, false],
    ['a reason in a later comment', '/** All. */\n/** Long because … */', 401, true],
  ])('is 400 lines a file, unless the first comment says why: %s', (_, comment, lines, refused) => {
    const faults = sizeFaults(['libs/wal/src/read/scan.ts'], () => text(comment, lines), none);
    expect(faults).toHaveLength(refused ? 1 : 0);
  });

  it('has exceptions only where they are needed', () => {
    const exceptions = { crowdedFolders: ['libs/wal/src/read'], longFiles: ['wal/0.ts'] };
    expect(sizeFaults(folder(21), () => text('', 401), exceptions)).toHaveLength(20);
    expect(sizeFaults(folder(1), () => '', exceptions)).toEqual([
      'libs/wal/src/read needs no exception: take it out of bin/architecture/exceptions.js',
      'wal/0.ts needs no exception: take it out of bin/architecture/exceptions.js',
    ]);
  });
});
