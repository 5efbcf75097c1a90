import { hash } from 'node:crypto';
import { assert } from '@holdfast/kernel';
import { KEY_BYTES_MAX, KEY_LENGTH_BYTES, LONG_KEY_MARK } from '../model/state-entry.js';

const SECTION_BYTES_MAX = LONG_KEY_MARK - 1;
/** A text of n characters has at most 3n bytes. */
const BYTES_A_CHARACTER_MAX = 3;

/**
 * Writes the key of an entry as the database knows it: the section's length, the section, and the entry's key. What would be too long for LMDB
 * is replaced by its SHA-256.
 */
export class StateKeyWriter {
  private readonly prefix: Buffer;
  private readonly scratch = Buffer.alloc(KEY_LENGTH_BYTES + KEY_BYTES_MAX);

  constructor(section: string) {
    const name = Buffer.from(section);
    assert(section.isWellFormed(), 'the name of a section is well-formed Unicode');
    assert(
      name.length <= SECTION_BYTES_MAX,
      `the name of a section fits into ${SECTION_BYTES_MAX} bytes`,
    );
    this.prefix = Buffer.concat([Buffer.of(name.length), name]);
    this.prefix.copy(this.scratch, KEY_LENGTH_BYTES);
  }

  /** The beginning of the entry's image: the key's length, then the key. The bytes die with the next call. */
  imageHeadOf(key: string): Buffer {
    const at = KEY_LENGTH_BYTES + this.prefix.length;
    const room = this.scratch.length - at;
    if (BYTES_A_CHARACTER_MAX * key.length > room && Buffer.byteLength(key) > room)
      return this.hashed(key);
    const end = at + this.scratch.write(key, at, 'utf8');
    this.scratch.writeUInt16LE(end - KEY_LENGTH_BYTES, 0);
    return this.scratch.subarray(0, end);
  }

  private hashed(key: string): Buffer {
    const whole = hash('sha256', Buffer.concat([this.prefix, Buffer.from(key)]), 'buffer');
    const head = Buffer.alloc(KEY_LENGTH_BYTES + 1 + whole.length);
    head.writeUInt16LE(1 + whole.length, 0);
    head.writeUInt8(LONG_KEY_MARK, KEY_LENGTH_BYTES);
    whole.copy(head, KEY_LENGTH_BYTES + 1);
    return head;
  }
}
