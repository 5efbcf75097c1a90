import { CodedError } from '@holdfast/kernel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  asUnusable,
  assertArchiveApart,
  assertNoLogAbove,
  assertUsableDirectory,
} from './usable-directory.js';

describe('a directory of data', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'holdfast-usable-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('may be there, or be made, and nothing is made by looking', () => {
    mkdirSync(join(root, 'there'));
    for (const use of ['read', 'write', 'make'] as const)
      for (const path of ['there', 'absent/wal']) assertUsableDirectory(join(root, path), use);
    expect(readdirSync(root)).toEqual(['there']);
  });

  it.each([
    ['is a file', 'file'],
    ['lies below a file', 'file/data/wal'],
    ['is a link to nothing', 'link'],
  ])('that %s cannot be used', (_what, path) => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'nothing'), join(root, 'link'));
    const before = readdirSync(root);
    for (const use of ['read', 'write', 'make'] as const)
      expect(() => assertUsableDirectory(join(root, path), use)).toThrow(
        expect.objectContaining({ code: 'DATA_DIRECTORY_UNUSABLE' }),
      );
    expect(readdirSync(root)).toEqual(before);
  });

  it('that is a log itself, as a salvage makes it, holds no other log', () => {
    writeFileSync(join(root, 'MANIFEST'), '');
    const start = () => assertNoLogAbove(join(root, 'wal'));
    expect(start).toThrow(expect.objectContaining({ code: 'DATA_DIRECTORY_UNUSABLE' }));
    expect(readdirSync(root)).toEqual(['MANIFEST']);
    mkdirSync(join(root, 'wal'));
    expect(start).not.toThrow();
  });

  it('that is a file is told of by its path, with what to do', () => {
    writeFileSync(join(root, 'file'), '');
    const path = join(root, 'file', 'wal');
    expect(() => assertUsableDirectory(path, 'make')).toThrow(
      expect.objectContaining({
        code: 'DATA_DIRECTORY_UNUSABLE',
        message: expect.stringContaining(`${join(root, 'file')} is not a directory`),
        details: expect.objectContaining({ path }),
      }),
    );
  });

  it.each(['wal', 'state', 'snapshots/below', 'link', '.', '..'])(
    'that holds the log or its state, or lies in them, is no archive: %s',
    (name) => {
      const at = (path: string): string => join(root, 'data', path);
      mkdirSync(at('wal'), { recursive: true });
      symlinkSync(at('wal'), at('link'));
      const others = [at('wal'), at('state'), at('snapshots')];
      expect(() => assertArchiveApart(at(name), others)).toThrow(
        expect.objectContaining({
          code: 'DATA_DIRECTORY_UNUSABLE',
          details: { path: at(name), other: expect.stringContaining(at('')) },
        }),
      );
    },
  );

  it.each(['data/archive', 'data/wal-archive', 'elsewhere'])('beside them is: %s', (name) => {
    const [wal, state] = [join(root, 'data/wal'), join(root, 'data/state')];
    expect(() => assertArchiveApart(join(root, name), [wal, state])).not.toThrow();
  });

  it.each(['EACCES', 'EROFS', 'EPERM', 'ENOTDIR'])(
    'is what %s in the midst of a start speaks of',
    (code) => {
      const thrown = new CodedError(code, `${code}: open '/data/wal/LOCK'`);
      expect(asUnusable(thrown, '/data/wal')).toMatchObject({
        code: 'DATA_DIRECTORY_UNUSABLE',
        message: expect.stringContaining('/data/wal/LOCK'),
        cause: thrown,
      });
    },
  );

  it('has nothing to do with other failures', () => {
    const thrown = new CodedError('WAL_CORRUPT', 'damaged');
    expect(asUnusable(thrown, '/data/wal')).toBe(thrown);
  });
});
