import { readSmallFile } from '../disk/file-reading.js';
import {
  type FileSystem,
  orDiscard,
  replaceFile,
  type ReplaceOptions,
  writeFully,
} from '../disk/file-system.js';
import { checkedLines, withChecksum } from '../format/checked-lines.js';
import { WalError } from '../wal.errors.js';

/**
 * What belongs to the log: its identity, where it begins, and which generation of a segment counts. Text, so that it can be read
 * at three in the morning; the last line is a checksum of the rest. Written when the log is made, and by compaction and
 * retention; never by an append or a rotation, which the chain of segment headers covers.
 */
export interface Manifest {
  /** 32 hex digits. */
  readonly logId: string;
  readonly firstSegment: number;
  readonly firstSequence: number;
  /**
   * By sequence, the timeline of a place that has left the log: the one right before its first sequence, and the one before that of its archive. Whoever stands there is compared with it.
   * Not there: a release that did not write it has moved the beginning, and nobody knows.
   */
  readonly placesBefore: ReadonlyMap<number, string>;
  /** Segments whose generation is not 0. */
  readonly generations: ReadonlyMap<number, number>;
}

export const MANIFEST_NAME = 'MANIFEST';
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;
const TITLE = 'holdfast-wal-manifest 1';

/** Undefined when there is none. Throws `WAL_MANIFEST_DAMAGED`. */
export function readManifest(fileSystem: FileSystem, directory: string): Manifest | undefined {
  const path = `${directory}/${MANIFEST_NAME}`;
  const content = readSmallFile(fileSystem, path, MANIFEST_BYTES_MAX);
  if (content === undefined) return undefined;
  const manifest = parse(content.toString('latin1'));
  if (manifest === undefined) {
    throw new WalError('WAL_MANIFEST_DAMAGED', `${path} is damaged; nothing was changed`, {
      file: path,
    });
  }
  return manifest;
}

/**
 * The first one of a log; durable when it resolves. Throws `EEXIST` where there is one: of two writers that make a log at once, the slower must not
 * replace what the other has built on.
 */
export async function createManifest(
  fileSystem: FileSystem,
  directory: string,
  epoch: number,
  manifest: Manifest,
): Promise<void> {
  const temporary = `${directory}/MANIFEST-${epoch}.tmp`;
  const file = fileSystem.open(temporary, 'create');
  await orDiscard(fileSystem, temporary, async () => {
    try {
      writeFully(file, Buffer.from(format(manifest), 'latin1'), 0);
      file.dataSync();
    } finally {
      file.close();
    }
    // Crash before the name is durable: an empty directory with a stray file, and the next open makes the log anew. The content was synced before it got its
    // name, so that no crash leaves a MANIFEST that is half there.
    await fileSystem.publish(temporary, `${directory}/${MANIFEST_NAME}`);
  });
  fileSystem.syncDirectory(directory);
}

/** Replaces it; durable when it returns. */
export function writeManifest(
  fileSystem: FileSystem,
  directory: string,
  manifest: Manifest,
  options: ReplaceOptions = {},
): void {
  const content = Buffer.from(format(manifest), 'latin1');
  replaceFile(fileSystem, directory, MANIFEST_NAME, content, options);
}

export function sameManifest(one: Manifest, other: Manifest): boolean {
  return format(one) === format(other);
}

function format(manifest: Manifest): string {
  const lines = [
    TITLE,
    `log-id ${manifest.logId}`,
    `first-segment ${manifest.firstSegment}`,
    `first-sequence ${manifest.firstSequence}`,
    ...[...manifest.placesBefore].map(([sequence, timeline]) => `before ${sequence} ${timeline}`),
    ...[...manifest.generations].map(
      ([segment, generation]) => `generation ${segment} ${generation}`,
    ),
  ];
  return withChecksum(lines);
}

function parse(text: string): Manifest | undefined {
  const lines = checkedLines(text);
  if (lines === undefined) return undefined;
  const [title, logId, firstSegment, firstSequence, ...rest] = lines;
  if (title !== TITLE) return undefined;
  const id = /^log-id ([0-9a-f]{32})$/.exec(logId ?? '')?.[1];
  const segment = /^first-segment ([0-9]+)$/.exec(firstSegment ?? '')?.[1];
  const sequence = /^first-sequence ([0-9]+)$/.exec(firstSequence ?? '')?.[1];
  if (id === undefined || segment === undefined || sequence === undefined) return undefined;
  const generationsAt = rest.findIndex((line) => !line.startsWith('before '));
  const placesCount = generationsAt < 0 ? rest.length : generationsAt;
  const places = rest
    .slice(0, placesCount)
    .map((line) => /^before ([0-9]+) ([0-9a-f]{16})$/.exec(line));
  const entries = rest
    .slice(placesCount)
    .map((line) => /^generation ([0-9]+) ([0-9]+)$/.exec(line));
  if (places.includes(null) || entries.includes(null)) return undefined;
  return {
    logId: id,
    firstSegment: Number(segment),
    firstSequence: Number(sequence),
    placesBefore: new Map(places.map((place) => [Number(place?.[1]), place?.[2] ?? ''])),
    generations: new Map(entries.map((entry) => [Number(entry?.[1]), Number(entry?.[2])])),
  };
}
