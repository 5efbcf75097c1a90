import { ArchiveDirectory } from '../care/archive/archive-directory.js';
import type { DiskImage } from '../simulation/simulated-disk.js';
import { SimulatedFileSystem } from '../simulation/simulated-file-system.js';
import { openSimulated } from './simulated-log.js';

/**
 * A log beside the archive of a history that it has left, as after a restore without another archive: both began with the same records, and the archived one
 * has gone further. Records say `old` or `new`. As `old`, the log whose archive it is.
 */
export async function withAbandonedArchive(
  { rotations }: { readonly rotations: number },
  which: 'old' | 'new' = 'new',
): Promise<SimulatedFileSystem> {
  const beginning = SimulatedFileSystem.on();
  await filled(beginning, { letter: 'both', rotations: 0, seed: 1, archives: false });
  const common = beginning.disk.image();
  const branch = async (
    letter: string,
    seed: number,
    upTo: number,
    archives: boolean,
  ): Promise<DiskImage> => {
    const system = SimulatedFileSystem.on(common);
    await filled(system, { letter, rotations: upTo, seed, archives });
    return system.disk.image();
  };
  const old = await branch('old', 2, rotations + 3, true);
  if (which === 'old') return SimulatedFileSystem.on(old);
  const own = await branch('new', 3, rotations, false);
  const files = new Map(own.files);
  for (const [path, content] of old.files)
    if (path.startsWith('/archive')) files.set(path, content);
  return SimulatedFileSystem.on({
    files,
    directories: new Set([...own.directories, ...old.directories]),
  });
}

interface Filling {
  readonly letter: string;
  readonly rotations: number;
  readonly seed: number;
  readonly archives: boolean;
}

async function filled(
  system: SimulatedFileSystem,
  { letter, rotations, seed, archives }: Filling,
): Promise<void> {
  const archive = ArchiveDirectory.open('/archive', { create: true, fileSystem: system });
  const wal = await openSimulated(system, archives ? { archive } : {}, seed);
  do {
    const texts = Array.from({ length: 4 }, () => Buffer.from(letter.padEnd(600)));
    await wal.append(texts).durable;
  } while (wal.stats().rotations < rotations);
  if (archives) await wal.maintenance.archiveSealed();
  await wal.close();
  await archive.close();
}
