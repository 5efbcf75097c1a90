import { type DiskImage, framesOf, LOG } from '@holdfast/wal/testing';
import { goldenFiles, type GoldenLog, goldenSegments } from './golden-logs.js';

/** What comes of a damage. */
export type Outcome =
  /** Opening throws, and changes no byte. */
  | 'refused'
  /** Opening succeeds, because it reads no sealed data; whoever reads the record gets an error. */
  | 'refused when read'
  /** The open says what it mended, and everything is there. */
  | 'repaired'
  /** The open says what it set aside, and only records that nothing had promised are missing. */
  | 'unpromised loss'
  /** Everything is there: the byte is neither parsed nor promised. */
  | 'harmless';

/** One thing that happened to a log. */
export interface Damage {
  readonly what: string;
  readonly image: DiskImage;
  /** Those it may have, where that can be told beforehand. */
  readonly outcomes?: readonly Outcome[];
  /** A whole sector, not a byte. */
  readonly isOfSector?: boolean;
}

/** How many damages of a kind: each one that there is, one for each byte, or a few. */
export type Density = 'every' | 'short' | 'few';

const SECTOR_BYTES = 512;
const MANIFEST = `${LOG}/MANIFEST`;
const WATERMARK = `${LOG}/WATERMARK`;

/** One bit each. `short` takes one bit of each byte that says something and samples the runs of zeros. */
export function* flippedBits(golden: GoldenLog, density: Density): Generator<Damage> {
  for (const path of goldenFiles(golden.image)) {
    const content = golden.image.files.get(path) ?? Buffer.alloc(0);
    for (let offset = 0; offset < content.length; offset++) {
      for (const bit of bitsToFlip(content, offset, density)) {
        const flipped = Buffer.from(content);
        flipped.writeUInt8(content.readUInt8(offset) ^ (1 << bit), offset);
        const what = `bit ${bit} of byte ${offset} of ${path}`;
        const image = replaced(golden.image, path, flipped);
        // Without it nothing is lost, and one of its two slots is good.
        yield { what, image, ...(path === WATERMARK && { outcomes: ['harmless'] }) };
      }
    }
  }
}

/** Each length of the last two segments. */
export function* cutSegments(golden: GoldenLog, density: Density): Generator<Damage> {
  for (const path of goldenSegments(golden.image).slice(-2)) {
    const content = golden.image.files.get(path) ?? Buffer.alloc(0);
    const isTaken = (size: number): boolean =>
      density === 'every' || (density === 'short' && isBusy(content, size)) || size % 211 === 0;
    for (let size = 0; size < content.length; size++) {
      if (!isTaken(size)) continue;
      const image = replaced(golden.image, path, Buffer.from(content.subarray(0, size)));
      yield { what: `${path} cut to ${size}`, image };
    }
  }
}

/** Each file gone. */
export function* missingFiles(golden: GoldenLog): Generator<Damage> {
  const newest = goldenSegments(golden.image).at(-1);
  for (const path of goldenFiles(golden.image)) {
    const image = replaced(golden.image, path, undefined);
    const isVital = path.endsWith('.wal') || path === MANIFEST;
    // Without a watermark nothing remembers the newest segment but its own name, if others are left.
    const isForgotten = path === newest && !golden.image.files.has(WATERMARK);
    if (isForgotten && goldenSegments(golden.image).length > 1) continue;
    yield {
      what: `${path} gone`,
      image,
      outcomes: isVital ? ['refused'] : ['harmless', 'repaired'],
    };
  }
}

/** Each segment once more, under another name; in the place of another; and exchanged with another. */
export function* duplicatedSegments(golden: GoldenLog): Generator<Damage> {
  const segments = goldenSegments(golden.image);
  const next = nameParts(segments.at(-1) ?? '').segment + 1;
  for (const path of segments) {
    const content = Buffer.from(golden.image.files.get(path) ?? []);
    const { segment, firstSequence } = nameParts(path);
    const names: [string, Outcome][] = [
      [nameOf(segment, firstSequence, 1), 'refused'],
      [nameOf(segment, firstSequence + 1, 0), 'refused'],
      [nameOf(next, firstSequence, 0), 'refused'],
      [nameOf(next, golden.records + 1, 0), 'refused'],
      [nameOf(next, golden.records + 1, 1), 'refused'],
      [nameOf(next + 7, golden.records + 1, 0), 'refused'],
      // Below the first one that MANIFEST names: left behind, so it is said to be removed.
      [nameOf(0, firstSequence, 0), 'repaired'],
    ];
    for (const [name, outcome] of names)
      yield {
        what: `${path} once more as ${name}`,
        image: replaced(golden.image, `${LOG}/${name}`, content),
        outcomes: [outcome],
      };
    for (const other of segments) {
      if (other === path) continue;
      const image = replaced(golden.image, other, content);
      yield { what: `${path} in the place of ${other}`, image, outcomes: ['refused'] };
      const exchanged = replaced(image, path, Buffer.from(golden.image.files.get(other) ?? []));
      yield { what: `${path} and ${other} exchanged`, image: exchanged, outcomes: ['refused'] };
    }
  }
}

/**
 * Of each segment, each sector with data: never written, or written with what stands in another segment at that place. And everything from a place on
 * never written, where anything else remembers that it was.
 */
export function* lostSectors(golden: GoldenLog): Generator<Damage> {
  const segments = goldenSegments(golden.image);
  for (const path of segments) {
    const content = golden.image.files.get(path) ?? Buffer.alloc(0);
    for (let from = 0; from < content.length; from += SECTOR_BYTES) {
      const to = Math.min(content.length, from + SECTOR_BYTES);
      if (content.subarray(from, to).every((byte) => byte === 0)) continue;
      const what = `the sector at ${from} of ${path}`;
      const sector = (image: DiskImage, how: string): Damage => ({
        what: `${what} ${how}`,
        image,
        isOfSector: true,
      });
      yield sector(withZeros(golden.image, path, from, to), 'never written');
      for (const other of segments) {
        const stale = golden.image.files.get(other)?.subarray(from, to);
        if (other === path || stale?.length !== to - from) continue;
        const mixed = Buffer.from(content);
        stale.copy(mixed, from);
        yield sector(replaced(golden.image, path, mixed), `as in ${other}`);
      }
    }
    if (golden.hasWitness || path !== segments.at(-1)) yield* lostEnds(golden, path, content);
  }
}

function* lostEnds(golden: GoldenLog, path: string, content: Buffer): Generator<Damage> {
  for (const { fileOffset } of framesOf(content)) {
    for (const at of [0, 8, 40, 64, 72]) {
      const from = fileOffset + at;
      const image = withZeros(golden.image, path, from, content.length);
      yield { what: `${path} from ${from} on never written`, image };
    }
  }
}

function withZeros(image: DiskImage, path: string, from: number, to: number): DiskImage {
  return replaced(image, path, Buffer.from(image.files.get(path) ?? []).fill(0, from, to));
}

export function replaced(image: DiskImage, path: string, content: Buffer | undefined): DiskImage {
  const files = new Map(image.files);
  if (content === undefined) files.delete(path);
  else files.set(path, content);
  return { files, directories: image.directories };
}

function bitsToFlip(content: Buffer, offset: number, density: Density): number[] {
  const isSaying = isBusy(content, offset);
  if (density === 'every' && isSaying) return [0, 1, 2, 3, 4, 5, 6, 7];
  if (density === 'few') return isSaying && offset % 7 === 0 ? [(offset * 5) % 8] : [];
  return density === 'every' || isSaying || offset % 331 === 0 ? [(offset * 5) % 8] : [];
}

/** Near a byte that says something: not within a long run of zeros. */
function isBusy(content: Buffer, offset: number): boolean {
  return content.subarray(Math.max(0, offset - 4), offset + 4).some((byte) => byte !== 0);
}

function nameOf(segment: number, firstSequence: number, generation: number): string {
  const hex = (value: number): string => value.toString(16).padStart(16, '0');
  return `${hex(segment)}-${hex(firstSequence)}.${generation}.wal`;
}

function nameParts(path: string): { segment: number; firstSequence: number } {
  const [segment = '0', firstSequence = '0'] = path.slice(LOG.length + 1).split(/[-.]/);
  return { segment: parseInt(segment, 16), firstSequence: parseInt(firstSequence, 16) };
}
