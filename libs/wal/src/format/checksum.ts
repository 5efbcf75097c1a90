import { crc32 as zlibCrc32 } from 'node:zlib';
import CRC32 from 'crc-32';

/** Below this, the table in JavaScript beats the call into C; from 256 bytes on the call wins (docs/adr/0017-one-checksum.md). */
const SMALL_BYTES = 128;

/**
 * CRC-32 (IEEE 802.3, reflected 0xEDB88320) as an unsigned integer. `seed` is an earlier result: the checksum of a
 * concatenation is computed piece by piece. Both implementations give the same values, which the tests cross-check.
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  if (bytes.length < SMALL_BYTES) return CRC32.buf(bytes, seed | 0) >>> 0;
  return zlibCrc32(bytes, seed);
}
