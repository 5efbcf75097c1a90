import { crc32 } from './checksum.js';

/** Lines and a last line `crc <8 hex>` over everything before it. */
export function withChecksum(lines: readonly string[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  return `${text}crc ${crc32(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0')}\n`;
}

/** The lines before the checksum, or undefined unless it verifies to the last byte. */
export function checkedLines(text: string): string[] | undefined {
  const at = text.lastIndexOf('crc ');
  if (at <= 0 || text[at - 1] !== '\n') return undefined;
  const lines = text.slice(0, at - 1).split('\n');
  return withChecksum(lines) === text ? lines : undefined;
}
