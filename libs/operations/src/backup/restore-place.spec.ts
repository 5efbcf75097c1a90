import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RestorePlace } from './restore-place.js';

describe('the target of a restore', () => {
  let target: string;

  beforeEach(() => {
    target = mkdtempSync(join(tmpdir(), 'holdfast-restore-place-'));
    mkdirSync(join(target, 'lost+found'));
  });
  afterEach(() => rmSync(target, { recursive: true, force: true }));

  it('may be a volume that holds only what its file system has made', () => {
    const place = RestorePlace.prepare(target);
    for (const name of ['state', 'wal']) mkdirSync(join(place.directory, name));
    place.finish();
    expect(readdirSync(target).sort()).toEqual(['lost+found', 'state', 'wal']);
  });

  it('is refused where anything else is beside it', () => {
    writeFileSync(join(target, 'file'), '');
    expect(() => RestorePlace.prepare(target)).toThrow(
      expect.objectContaining({ code: 'RESTORE_TARGET_NOT_EMPTY' }),
    );
    expect(readdirSync(target).sort()).toEqual(['file', 'lost+found']);
  });
});
