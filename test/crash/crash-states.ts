import { createHash } from 'node:crypto';
import {
  type DiskImage,
  DiskReplay,
  type FileChange,
  type PendingChange,
  type PendingEntry,
  SeededRandom,
  type SimulatedDisk,
} from '@holdfast/wal/testing';

/** What a power cut may leave of a recorded run at one moment. */
export interface CrashState {
  /** The number of operations before the power went. */
  readonly point: number;
  /** Which of the pending changes had reached the disk. */
  readonly label: string;
  readonly image: DiskImage;
  /** Equal for states that no recovery could tell apart and that the world knows equally much of. */
  readonly hash: string;
  /** What the outside world had learnt by then. */
  readonly marks: readonly unknown[];
}

export interface CrashStateOptions {
  readonly seed: number;
  /** Cuts inside of a write: every 512 bytes, or at this many places of it. */
  readonly cutsMax?: number;
  /** Where the run begins to matter: earlier operations are played without crashing. */
  readonly fromPoint?: number;
}

const SECTOR_BYTES = 512;
const RANDOM_SUBSETS = 8;
/** All subsets of up to this many pending changes of directories; beyond, prefixes, each dropped and each alone. */
const ENTRY_SUBSETS_MAX = 4;
/** Changes that were never synced, as of WATERMARK, pile up: all but the newest few are taken as written back. */
const UNSYNCED_KEPT_APART = 4;

interface Variant {
  readonly label: string;
  readonly changes: readonly PendingChange[];
}

/**
 * At every point: all prefixes of the pending changes, each dropped, each alone, each write cut at sector borders and with single
 * sectors missing, sizes grown with zeros, and random subsets of sectors; times the subsets of pending changes of directories.
 * The same content is given once, except when the world has learnt more meanwhile.
 */
export function* crashStates(
  disk: SimulatedDisk,
  options: CrashStateOptions,
): Generator<CrashState> {
  const replay = new DiskReplay(disk);
  const hasher = new ImageHasher();
  const seen = new Set<string>();
  let point = 0;
  for (const operation of disk.operations) {
    replay.apply(operation);
    point++;
    if (point < (options.fromPoint ?? 0)) continue;
    let place = 0;
    for (const entries of entryVariants(replay.pendingEntries)) {
      const seed = (options.seed * 1_009 + point) * 1_013 + place++;
      for (const variant of changeVariants(replay, seed, options.cutsMax ?? Infinity)) {
        const image = replay.image(variant.changes, entries);
        const hash = digest(Buffer.from(`${replay.marks.length} ${hasher.hash(image)}`));
        if (seen.has(hash)) continue;
        seen.add(hash);
        const label = `${variant.label}, ${entries.length} of ${replay.pendingEntries.length} names`;
        yield { point, label, image, hash, marks: [...replay.marks] };
      }
    }
  }
}

function* entryVariants(pending: readonly PendingEntry[]): Generator<readonly PendingEntry[]> {
  if (pending.length > ENTRY_SUBSETS_MAX) {
    for (let kept = 0; kept <= pending.length; kept++) yield pending.slice(0, kept);
    for (const [at, entry] of pending.entries()) {
      yield pending.filter((_, other) => other !== at);
      yield [entry];
    }
    return;
  }
  for (let mask = 0; mask < 1 << pending.length; mask++)
    yield pending.filter((_, at) => (mask & (1 << at)) !== 0);
}

function* changeVariants(replay: DiskReplay, seed: number, cutsMax: number): Generator<Variant> {
  // What is drawn here does not depend on what was drawn before: more cuts, or one point alone, give the same states again.
  const [random, subsets] = [new SeededRandom(seed), new SeededRandom(~seed)];
  const [written, pending] = split(replay.pendingChanges);
  const keep = (label: string, changes: readonly PendingChange[]): Variant => ({
    label,
    changes: [...written, ...changes],
  });
  yield { label: 'nothing', changes: [] };
  for (let kept = 0; kept <= pending.length; kept++)
    yield keep(`the first ${kept} of ${pending.length}`, pending.slice(0, kept));
  for (const [at, change] of pending.entries()) {
    yield keep(`all but ${at}`, without(pending, at));
    yield keep(`only ${at}`, [change]);
    for (const cut of cuts(change.change, cutsMax, random)) {
      yield keep(`${at} cut at ${cut}`, [...pending.slice(0, at), part(change, 0, cut)]);
      yield keep(`${at} without the sector at ${cut}`, [
        ...pending.slice(0, at),
        part(change, 0, cut),
        part(change, cut + SECTOR_BYTES, Infinity),
        ...pending.slice(at + 1),
      ]);
    }
  }
  if (pending.length === 0) return;
  yield keep('sizes grown with zeros', grown(replay, pending));
  for (let subset = 0; subset < RANDOM_SUBSETS; subset++)
    yield keep(`random sectors ${subset}`, randomSectors(pending, subsets));
}

/** Old changes of a file with a long tail of unsynced ones, and those that are taken apart. */
function split(
  pending: readonly PendingChange[],
): [written: readonly PendingChange[], apart: readonly PendingChange[]] {
  const newest = new Map<unknown, number>();
  const apart = new Set<PendingChange>();
  for (const change of [...pending].reverse()) {
    const count = newest.get(change.file) ?? 0;
    newest.set(change.file, count + 1);
    if (count < UNSYNCED_KEPT_APART) apart.add(change);
  }
  return [
    pending.filter((change) => !apart.has(change)),
    pending.filter((change) => apart.has(change)),
  ];
}

function without(pending: readonly PendingChange[], dropped: number): PendingChange[] {
  return pending.filter((_, at) => at !== dropped);
}

/** Distances from the start of a write to the borders of sectors within it. */
function cuts(change: FileChange, cutsMax: number, random: SeededRandom): readonly number[] {
  if (change.kind === 'truncate') return [];
  const { all, isZero } = bordersOf(change);
  // Zeros that were cut differ from each other in nothing but the size of the file.
  const max = isZero ? Math.min(2, cutsMax) : cutsMax;
  if (all.length <= max) return all;
  return Array.from({ length: max }, () => random.pick(all));
}

interface Borders {
  readonly all: readonly number[];
  readonly isZero: boolean;
}

/** A write is pending at many points of a run: it is looked through once. */
const knownBorders = new WeakMap<FileChange, Borders>();

function bordersOf(change: FileChange & { kind: 'write' }): Borders {
  const known = knownBorders.get(change);
  if (known !== undefined) return known;
  const all: number[] = [];
  const first = SECTOR_BYTES - (change.offset % SECTOR_BYTES);
  for (let cut = first; cut < change.bytes.length; cut += SECTOR_BYTES) all.push(cut);
  const borders = { all, isZero: change.bytes.every((byte) => byte === 0) };
  knownBorders.set(change, borders);
  return borders;
}

/** The bytes of a write from one distance to another. */
function part({ file, change }: PendingChange, from: number, to: number): PendingChange {
  if (change.kind === 'truncate') return { file, change };
  const bytes = change.bytes.subarray(from, to);
  return { file, change: { kind: 'write', offset: change.offset + from, bytes } };
}

/** The journal knows the new sizes, the data never came. */
function grown(replay: DiskReplay, pending: readonly PendingChange[]): PendingChange[] {
  const changes: PendingChange[] = [];
  for (const { file, change } of pending) {
    if (change.kind === 'truncate') continue;
    const size = change.offset + change.bytes.length;
    const before = replay.durableContent(file).length;
    if (size > before) changes.push({ file, change: { kind: 'truncate', size } });
  }
  return changes.sort((a, b) => sizeOf(a) - sizeOf(b));
}

function sizeOf({ change }: PendingChange): number {
  return change.kind === 'truncate' ? change.size : 0;
}

function randomSectors(pending: readonly PendingChange[], random: SeededRandom): PendingChange[] {
  return pending.flatMap((change) => {
    if (change.change.kind === 'truncate') return random.chance(2) ? [change] : [];
    const borders = [0, ...cuts(change.change, Infinity, random), change.change.bytes.length];
    return borders
      .slice(1)
      .map((to, at) => part(change, borders[at] ?? 0, to))
      .filter(() => random.chance(2));
  });
}

/** Equal content, equal hash. Files that did not change between two images are not hashed again. */
class ImageHasher {
  private readonly known = new WeakMap<Buffer, string>();

  hash({ files, directories }: DiskImage): string {
    const names = [...files].map(([path, content]) => `${path} ${this.hashOf(content)}`);
    return [...names, ...directories].sort().join('\n');
  }

  private hashOf(content: Buffer): string {
    const known = this.known.get(content);
    if (known !== undefined) return known;
    const hash = digest(content);
    this.known.set(content, hash);
    return hash;
  }
}

function digest(content: Buffer): string {
  return createHash('sha1').update(content).digest('base64');
}
