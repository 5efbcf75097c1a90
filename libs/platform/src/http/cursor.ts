import { crc32 } from 'node:zlib';
import { ProblemException } from '@holdfast/nestjs/http';

/** What a cursor remembers: the place where the next page starts. */
export type CursorValue =
  | string
  | number
  | boolean
  | null
  | readonly CursorValue[]
  | { readonly [name: string]: CursorValue };

const CHECKSUM_BYTES = 4;
const CURSOR_CHARACTERS_MAX = 2048;

/**
 * An opaque cursor. `kind` names the list it belongs to, with whatever must not change between pages (`statement:alice`), so that
 * a cursor of one list is refused by another. The checksum catches accidents; a cursor is no secret and proves no right.
 */
export function encodeCursor(kind: string, value: CursorValue): string {
  const content = Buffer.from(JSON.stringify([kind, value]));
  const cursor = Buffer.allocUnsafe(CHECKSUM_BYTES + content.byteLength);
  cursor.writeUInt32BE(crc32(content), 0);
  content.copy(cursor, CHECKSUM_BYTES);
  return cursor.toString('base64url');
}

/**
 * The value that `encodeCursor` was given. Throws `ProblemException` `cursor-invalid` for anything else: another kind's
 * cursor, a damaged one, or one whose value `accepts` refuses.
 */
export function decodeCursor<Value extends CursorValue>(
  kind: string,
  cursor: string,
  accepts: (value: unknown) => value is Value,
): Value {
  const content = checkedContent(cursor);
  const [cursorKind, value] = content === undefined ? [] : listIn(content);
  if (cursorKind !== kind || !accepts(value)) throw new ProblemException('cursor-invalid');
  return value;
}

/** Anybody can make a checksum, so what is under a good one need not be ours. */
function listIn(content: Buffer): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(content.toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** The bytes under the checksum, or undefined if they are not what `encodeCursor` made. */
function checkedContent(cursor: string): Buffer | undefined {
  if (cursor.length > CURSOR_CHARACTERS_MAX) return undefined;
  const bytes = Buffer.from(cursor, 'base64url');
  // Decoding skips what is not base64url, so only the canonical spelling is the same cursor.
  if (bytes.byteLength <= CHECKSUM_BYTES || bytes.toString('base64url') !== cursor)
    return undefined;
  const content = bytes.subarray(CHECKSUM_BYTES);
  return crc32(content) === bytes.readUInt32BE(0) ? content : undefined;
}
