import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * What the main thread and the state's threads must agree on, byte for byte; `docs/state-format.md` is the authority. An entry's image is
 * its key's length as u16, its key, and its value: contiguous wherever it is hashed.
 */

export const KEY_LENGTH_BYTES = 2;
/** In front of each value in the database: CRC-32 of the entry's image, little-endian. */
export const CHECKSUM_BYTES = 4;
/** LMDB's own limit with pages of 4 KiB. */
export const KEY_BYTES_MAX = 1978;
/** First byte of the key: the length of a section's name, or one of these. */
export const LONG_KEY_MARK = 0xfe;
export const OWN_KEY_MARK = 0xff;
/** Where the mark of the checkpoint stands: behind every entry. */
export const MARK_KEY: Uint8Array = Uint8Array.of(OWN_KEY_MARK, 1);

/** A change of a checkpoint on its way to the thread: the value's length as u32, or `DELETED`, then the entry's image. */
export const CHANGE_LENGTH_BYTES = 4;
export const DELETED = 0xffff_ffff;

/** The section that the entry is of; undefined where a long key does not tell. */
export function sectionIn(image: Buffer): string | undefined {
  const nameBytes = image.readUInt8(KEY_LENGTH_BYTES);
  const nameAt = KEY_LENGTH_BYTES + 1;
  return nameBytes < LONG_KEY_MARK ? image.toString('utf8', nameAt, nameAt + nameBytes) : undefined;
}

const LANE_BYTES = 8;

/** CRC-32 of an entry's image. */
export function checksumOf(image: Uint8Array): number {
  return crc32(image);
}

/**
 * An order-free digest of entries: the sum of their hashes, so that it can be kept while entries come and go. Two lanes of 64 bits, each
 * a sum modulo 2^64 of a part of the SHA-256 of an entry's image.
 */
export class StateDigest {
  entries = 0;
  private low = 0n;
  private high = 0n;

  /** Throws a TypeError for what is not a digest's text. */
  static of({
    entries,
    digest,
  }: {
    readonly entries: number;
    readonly digest: string;
  }): StateDigest {
    if (!/^[0-9a-f]{32}$/.test(digest)) throw new TypeError(`${digest} is not a digest`);
    const made = new StateDigest();
    made.entries = entries;
    made.high = BigInt(`0x${digest.slice(0, 16)}`);
    made.low = BigInt(`0x${digest.slice(16)}`);
    return made;
  }

  add(image: Uint8Array): void {
    const sum = hash('sha256', image, 'buffer');
    this.entries++;
    this.low = BigInt.asUintN(64, this.low + sum.readBigUInt64LE(0));
    this.high = BigInt.asUintN(64, this.high + sum.readBigUInt64LE(LANE_BYTES));
  }

  remove(image: Uint8Array): void {
    const sum = hash('sha256', image, 'buffer');
    this.entries--;
    this.low = BigInt.asUintN(64, this.low - sum.readBigUInt64LE(0));
    this.high = BigInt.asUintN(64, this.high - sum.readBigUInt64LE(LANE_BYTES));
  }

  /** 32 hex digits. */
  toString(): string {
    return laneText(this.high) + laneText(this.low);
  }
}

function laneText(lane: bigint): string {
  return lane.toString(16).padStart(16, '0');
}
