import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type DiskImage, LOG, openSimulated, SimulatedFileSystem } from '../testing/index.js';
import type { Sequence } from '../wal.types.js';
import { SEGMENT_DATA_START } from './wal-format.js';

/** The worked example of `docs/file-format.md`, made anew: what the document shows is what this code writes. */
describe('the worked example in docs/file-format.md', () => {
  const text = readFileSync('docs/file-format.md', 'utf8');
  let image: DiskImage;

  beforeAll(async () => {
    const system = SimulatedFileSystem.on();
    const first = await openSimulated(system, {}, 1);
    await first.append([Buffer.from('alpha'), Buffer.from('beta')]).durable;
    first.floors.set('state', 1 as Sequence);
    await first.close();
    await (await openSimulated(system, {}, 2)).close();
    image = system.disk.image();
  });

  const bytesOf = (name: string): Buffer => {
    const path = [...image.files.keys()].sort().find((file) => file.startsWith(`${LOG}/${name}`));
    return image.files.get(path ?? '')!;
  };
  const segment = (number: number): Buffer => bytesOf(`${number}`.padStart(16, '0'));
  const dataLength = (): number => segment(2).readUInt32LE(96);

  it.each<[string, () => string]>([
    ['MANIFEST', () => bytesOf('MANIFEST').toString()],
    ['FLOORS-1', () => bytesOf('FLOORS-1').toString()],
    ['the header of segment 1', () => dump(segment(1), 0, 128)],
    ['the frame of the batch', () => dump(segment(1), SEGMENT_DATA_START, SEGMENT_DATA_START + 96)],
    ['the closing frame', () => dump(segment(1), SEGMENT_DATA_START + 96, dataLength())],
    ['the footer', () => dump(segment(1), dataLength(), segment(1).length)],
    ['the header of segment 2', () => dump(segment(2), 0, 128)],
    ['WATERMARK', () => dump(bytesOf('WATERMARK'), 0, 48)],
  ])('shows %s', (name, make) => {
    expect(exampleIn(text, name)).toBe(make());
  });

  it('shows the names of the files', () => {
    const names = [...image.files.keys()].map((path) => path.slice(LOG.length + 1)).sort();
    expect(exampleIn(text, 'the files').split('\n').filter(Boolean)).toEqual(names);
  });
});

/** The fenced block behind the line "Example: <name>". */
function exampleIn(document: string, name: string): string {
  const from = document.indexOf(`Example: ${name}\n`);
  if (from === -1) return `no example of ${name}`;
  const start = document.indexOf('```text\n', from) + '```text\n'.length;
  return document.slice(start, document.indexOf('```', start));
}

/** Offset, sixteen bytes, and the printable ones: as `hexdump -C` shows them. Lines of zeros are left out. */
function dump(bytes: Buffer, from: number, to: number): string {
  const lines: string[] = [];
  for (let at = from; at < to; at += 16) {
    const row = bytes.subarray(at, Math.min(at + 16, to));
    if (row.every((byte) => byte === 0)) continue;
    const hex = row.toString('hex').replace(/../g, '$& ').trimEnd().padEnd(47);
    const printable = row.toString('latin1').replace(/[^ -~]/g, '.');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex}  |${printable}|\n`);
  }
  return lines.join('');
}
