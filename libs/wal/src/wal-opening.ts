import { randomBytes as systemRandomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { assert, type Clock, defined, errorCode } from '@holdfast/kernel';
import { ARCHIVE_FLOOR, readFloors } from './directory/floors.js';
import { createManifest, type Manifest, readManifest, sameManifest } from './directory/manifest.js';
import { ManifestKeeper } from './directory/manifest-keeper.js';
import { WatermarkWriter } from './directory/watermark.js';
import { WriterLock } from './directory/writer-lock.js';
import { ensureDirectory, type FileSystem } from './disk/file-system.js';
import { assertPlaceForLog } from './disk/network-file-systems.js';
import type { PredecessorSeal, SegmentHeader } from './format/segment-header.js';
import { parseSegmentName, segmentPath } from './format/segment-name.js';
import { archivedBefore, withArchived } from './read/archived-part.js';
import { type CatalogEntry, SegmentCatalog } from './read/segment-catalog.js';
import { verifySegments } from './read/verify.js';
import { holdsPlace } from './recovery/expected-place.js';
import { diagnose, type Diagnosis } from './recovery/recovery.js';
import { type RecoveryNote, removeStrays, repair } from './recovery/repair.js';
import type { ArchiveStore } from './segment/archive-store.js';
import type { SealedSegment } from './segment/segment-file.js';
import { SpareSegment } from './segment/spare-segment.js';
import { resolveLimits, type WalOptions } from './wal-options.js';
import { corrupt, readFailed, WalError } from './wal.errors.js';
import type { Durability, Sequence } from './wal.types.js';
import { SegmentChain } from './write/segment-chain.js';

/** Everything an open log is made of. */
export interface WalParts {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly options: WalOptions;
  readonly clock: Clock;
  readonly durability: Durability;
  readonly logId: string;
  readonly manifest: ManifestKeeper;
  readonly lock: WriterLock;
  readonly chain: SegmentChain;
  readonly spare: SpareSegment;
  readonly catalog: SegmentCatalog;
  readonly archive?: ArchiveStore;
  /** The segments before this open's first. */
  readonly sealed: readonly SealedSegment[];
  readonly floors: ReadonlyMap<string, Sequence>;
  readonly watermark: WatermarkWriter;
}

/** A takeover race is won or lost at once; more rounds than this mean that something else makes segments here. */
const BEGIN_ATTEMPTS_MAX = 10;

const NO_PREDECESSOR: PredecessorSeal = {
  dataLength: 0,
  lastSequence: 0,
  lastHeaderCrc: 0,
  lastFrameOffset: 0,
  generation: 0,
};

/** Throws `WAL_NOT_FOUND` for a directory without a log unless `create`, `WAL_UNSUPPORTED_FILE_SYSTEM`. */
export function prepareDirectory(
  fileSystem: FileSystem,
  directory: string,
  options: WalOptions,
): void {
  const isThere = holdsLog(fileSystem, directory);
  if (!isThere && options.create !== true) {
    throw new WalError(
      'WAL_NOT_FOUND',
      `there is no log in ${directory}; an unmounted volume looks like this, so a log is created only on request`,
      { directory },
    );
  }
  assertPlaceForLog(fileSystem, directory, options);
  if (!isThere) makeDirectories(fileSystem, directory);
}

/** With the lock held: recovers what is there, or makes the log, and starts this open's first segment. */
export async function assembleParts(
  fileSystem: FileSystem,
  directory: string,
  lock: WriterLock,
  options: WalOptions,
  clock: Clock,
): Promise<{ parts: WalParts; notes: RecoveryNote[]; lastSequence: Sequence }> {
  const limits = resolveLimits(options);
  const randomBytes = options.randomBytes ?? systemRandomBytes;
  const durability = options.durability ?? 'sync';
  const timeline = randomBytes(8).toString('hex');
  const spare = new SpareSegment(fileSystem, directory, lock.epoch, limits.segmentBytes);
  const notes: RecoveryNote[] = [];
  for (let attempt = 0; attempt < BEGIN_ATTEMPTS_MAX; attempt++) {
    const diagnosis = diagnose(fileSystem, directory);
    await checkSealedFrames(fileSystem, directory, toVerify(diagnosis, options));
    // Before anything is changed: an archive of another log is refused here.
    const floors = readFloors(fileSystem, directory);
    archivedBefore(options.archive, firstHeaderOf(diagnosis), floors.get(ARCHIVE_FLOOR));
    // After the scan: if a successor has begun a segment before it, then it took our claim before that. Otherwise the next number is free
    // for the first who takes it, and a writer that was stopped here can never begin one behind its successor's.
    lock.assertHeld();
    notes.push(...removeStrays(fileSystem, directory, diagnosis, lock));
    // The writer that we take over from was in the middle of a removal or a compaction when it was stopped: look again.
    if (!isCurrent(fileSystem, directory, diagnosis.manifest)) continue;
    notes.push(...repair(fileSystem, directory, diagnosis, lock));
    const { segment, seal } = nextAfter(diagnosis);
    const lastSequence = seal.lastSequence as Sequence;
    let manifest: Manifest;
    let chain: SegmentChain;
    try {
      manifest =
        diagnosis.manifest ?? (await makeManifest(fileSystem, directory, lock.epoch, randomBytes));
      const { logId } = manifest;
      const identity = { ...limits, logId, timeline, epoch: lock.epoch, durability };
      const randomU32 = (): number => randomBytes(4).readUInt32LE(0);
      chain = new SegmentChain(fileSystem, directory, identity, spare, clock, randomU32);
      await chain.begin(segment, lastSequence, seal);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      // The writer we are taking over from has made MANIFEST or a segment since we looked. If we are still the newest claimant it will make
      // no other that it acknowledges, so look again; otherwise we are the one who was taken over.
      if (lock.isHeld()) continue;
      break;
    }
    try {
      const keeper = new ManifestKeeper(fileSystem, directory, lock, manifest);
      // Crash before this is durable: the segment holds no frame yet, so it is removed and made again (`log-unfinished`).
      if (manifest.firstSegment === 0) keeper.replace({ ...manifest, firstSegment: 1 });
      const sealed = sealedBy(diagnosis, seal);
      const { archive } = options;
      const catalog = new SegmentCatalog(fileSystem, undefined, archive);
      const { current } = chain;
      const live = [
        ...sealed.map((entry) => toCatalog(directory, entry)),
        { ...current, dataLength: undefined, index: current.writer.index },
      ];
      // Not before: an archive that was bound to a log whose making crashed would fit no other. Until it is bound it holds nothing, or what says whose it is.
      archive?.bind({
        logId: manifest.logId,
        firstSegment: defined(live[0], 'a segment').name.segment,
      });
      catalog.replaceAll(withArchived(archive, live));
      return {
        parts: {
          fileSystem,
          directory,
          options,
          clock,
          durability,
          logId: manifest.logId,
          manifest: keeper,
          lock,
          chain,
          spare,
          catalog,
          ...(archive !== undefined && { archive }),
          sealed,
          floors: readFloors(fileSystem, directory),
          watermark: WatermarkWriter.open(fileSystem, directory),
        },
        notes,
        lastSequence,
      };
    } catch (error) {
      chain.close();
      throw error;
    }
  }
  throw new WalError('WAL_FENCED', `another writer is taking over ${directory}`, { directory });
}

function isCurrent(fileSystem: FileSystem, directory: string, seen: Manifest | undefined): boolean {
  const now = readManifest(fileSystem, directory);
  return now === undefined || seen === undefined ? now === seen : sameManifest(now, seen);
}

/** The sealed segments whose every frame is read now. Throws `WAL_BEHIND_STATE`. */
function toVerify(diagnosis: Diagnosis, options: WalOptions): readonly SealedSegment[] {
  const { verifyOnOpen = false, expects } = options;
  const held = expects === undefined || holdsPlace(diagnosis, expects);
  if (verifyOnOpen === false) return [];
  if (verifyOnOpen === true || !held) return diagnosis.sealed;
  return diagnosis.sealed.filter(({ seal }) => seal.lastSequence > verifyOnOpen.after);
}

/** `sealed-damaged`, to the last byte. Throws `WAL_CORRUPT` for the first damage, and `WAL_READ_FAILED` for what hinders the reading. */
async function checkSealedFrames(
  fileSystem: FileSystem,
  directory: string,
  sealed: readonly SealedSegment[],
): Promise<void> {
  const last = sealed.at(-1);
  if (last === undefined) return;
  const { lastSequence, dataLength } = last.seal;
  const bound = {
    sequence: lastSequence as Sequence,
    segment: last.name.segment,
    offset: dataLength,
  };
  const entries = sealed.map((segment) => toCatalog(directory, segment));
  const onHindrance = (path: string, error: unknown): never => {
    throw readFailed(path, 0, error);
  };
  const [problem] = (await verifySegments(fileSystem, entries, bound, { onHindrance })).problems;
  if (problem === undefined) return;
  const { reason, file, offset, firstSequence } = problem;
  const segment = sealed.find(({ name }) => segmentPath(directory, name) === file);
  throw corrupt(reason, {
    file,
    offset,
    firstSequence,
    ...(segment !== undefined && { lastSequence: segment.seal.lastSequence }),
  });
}

/**
 * The first file of a new log. It names no segment yet: a crash before the first one stands leaves a log that is still being made, which
 * the next open goes on with; and no frame is written before the MANIFEST that names it is durable.
 */
async function makeManifest(
  fileSystem: FileSystem,
  directory: string,
  epoch: number,
  randomBytes: (length: number) => Buffer,
): Promise<Manifest> {
  const manifest = {
    logId: randomBytes(16).toString('hex'),
    firstSegment: 0,
    firstSequence: 1,
    placesBefore: new Map<number, string>(),
    generations: new Map<number, number>(),
  };
  await createManifest(fileSystem, directory, epoch, manifest);
  return manifest;
}

function nextAfter({ tail }: Diagnosis): { segment: number; seal: PredecessorSeal } {
  if (tail === undefined) return { segment: 1, seal: NO_PREDECESSOR };
  const { scan, name } = tail;
  return {
    segment: name.segment + 1,
    seal: {
      dataLength: scan.validEnd,
      lastSequence: scan.lastSequence,
      lastHeaderCrc: scan.lastHeaderCrc,
      lastFrameOffset: scan.lastFrameOffset,
      generation: name.generation,
    },
  };
}

function firstHeaderOf({ sealed, tail }: Diagnosis): SegmentHeader | undefined {
  return (sealed[0] ?? tail)?.header;
}

function sealedBy({ sealed, tail }: Diagnosis, seal: PredecessorSeal): SealedSegment[] {
  return tail === undefined
    ? [...sealed]
    : [...sealed, { name: tail.name, header: tail.header, seal }];
}

function toCatalog(directory: string, { name, header, seal }: SealedSegment): CatalogEntry {
  return {
    name,
    path: segmentPath(directory, name),
    header,
    dataLength: seal.dataLength,
    index: undefined,
  };
}

function holdsLog(fileSystem: FileSystem, directory: string): boolean {
  if (!fileSystem.exists(directory)) return false;
  if (readManifest(fileSystem, directory) !== undefined) return true;
  return fileSystem.list(directory).some((file) => parseSegmentName(file) !== undefined);
}

/**
 * Each directory's entry is synced in its parent: otherwise a power cut could take the log with its name. Also that of the deepest
 * one which exists already: whoever made it may have been killed before the sync.
 */
function makeDirectories(fileSystem: FileSystem, directory: string): void {
  if (!fileSystem.exists(directory)) {
    const parent = dirname(directory);
    assert(parent !== directory, 'the root of the file system exists');
    makeDirectories(fileSystem, parent);
  }
  ensureDirectory(fileSystem, directory);
}
