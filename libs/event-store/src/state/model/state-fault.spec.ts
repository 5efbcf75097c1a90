import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  databaseFile,
  imageOf,
  openStateDatabase,
  storedValue,
} from '../database/state-database.js';
import { KEY_LENGTH_BYTES } from './state-entry.js';
import { faultCode, isOfSystem, isPassing, provesDamage } from './state-fault.js';
import { scanState } from '../database/state-scan.js';
import { writeCheckpoint } from '../thread/state-writer.js';

const KEY = Buffer.from('\u0004namea key');
/** Of a node of a leaf, before its key: the bit says that there is more than one value. */
const FLAGS_BEFORE_KEY = 4;
const SEVERAL_VALUES = 4;

function verdict(code: number | string, message = 'it failed') {
  const found = faultCode(Object.assign(new Error(message), { code }));
  return {
    damage: provesDamage(found),
    ofSystem: isOfSystem(found),
    passing: isPassing(found),
  };
}

const DAMAGE = { damage: true, ofSystem: false, passing: false };
const PASSING = { damage: false, ofSystem: true, passing: true };

it.each([
  ['MDB_PAGE_NOTFOUND', -30797, DAMAGE],
  ['MDB_CORRUPTED', -30796, DAMAGE],
  ['MDB_VERSION_MISMATCH', -30794, DAMAGE],
  ['MDB_INVALID', -30793, DAMAGE],
  ['MDB_CURSOR_FULL: branches that lead to themselves', -30787, DAMAGE],
  ['MDB_PAGE_FULL: a page that says wrongly how full it is', -30786, DAMAGE],
  ['MDB_INCOMPATIBLE: an entry of a kind that nobody writes', -30784, DAMAGE],
  ['MDB_BAD_VALSIZE: a key of a length that nobody writes', -30781, DAMAGE],
  ['MDB_PROBLEM: a leaf where a branch should be', -30779, DAMAGE],
  ['MDB_MAP_FULL', -30792, PASSING],
  ['MDB_READERS_FULL', -30790, PASSING],
  ['MDB_TXN_FULL', -30788, PASSING],
  ['MDB_BAD_RSLOT', -30783, PASSING],
  ['MDB_BAD_TXN: after a failure that was told', -30782, PASSING],
  ['EIO', 5, PASSING],
  ['EUCLEAN, which Node has no name for', 117, PASSING],
  ['EBADMSG, which Node has no name for', 74, PASSING],
  [
    'MDB_PANIC: after a meta page that could not be written',
    -30795,
    { ...PASSING, passing: false },
  ],
])('%s', (_, code, expected) => {
  expect(verdict(code)).toEqual(expected);
});

describe('one bit of an entry, which has LMDB call the transaction bad', () => {
  let directory: string;
  let database: ReturnType<typeof openStateDatabase>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'state-fault-'));
    const written = openStateDatabase(directory);
    const image = imageOf(KEY, Buffer.from('1'));
    const valueAt = KEY_LENGTH_BYTES + KEY.length;
    written.putSync(KEY, storedValue(image, valueAt));
    const place = { logId: '1', position: 1, timeline: '1', lastRecordedAtMillis: 1 };
    writeCheckpoint(written, directory, [], { ...place, stateVersion: '1', atMillis: 1 }, true);
    await written.close();
    const bytes = readFileSync(databaseFile(directory));
    for (let at = bytes.indexOf(KEY); at >= 0; at = bytes.indexOf(KEY, at + 1))
      bytes.writeUInt8(
        bytes.readUInt8(at - FLAGS_BEFORE_KEY) | SEVERAL_VALUES,
        at - FLAGS_BEFORE_KEY,
      );
    writeFileSync(databaseFile(directory), bytes);
    database = openStateDatabase(directory);
  });

  afterEach(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('is damage to whoever looks the entry up', () => {
    const lookUp = (): unknown => database.get(KEY);
    expect(lookUp).toThrow(expect.objectContaining({ code: -30782 }));
    let found: string | undefined;
    try {
      lookUp();
    } catch (error) {
      found = faultCode(error);
    }
    expect(found).toBe('MDB_BAD_TXN');
    expect(provesDamage(found)).toBe(true);
  });

  it('is damage to a reading-through', async () => {
    const options = { bytesPerSecond: Infinity, stopped: () => false, hurried: () => false };
    expect(await scanState(database, options)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringContaining('MDB_BAD_TXN'),
    });
  });
});
