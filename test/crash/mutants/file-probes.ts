import { errorCode } from '@holdfast/kernel';
import { Wal } from '@holdfast/wal';
import { ArchiveDirectory } from '@holdfast/wal/maintenance';
import { batchAfter, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';

/** What is done to the files of a log beside its writer, or by the disk. Each throws what is wrong. */
export const FILE_PROBES: Readonly<Record<string, () => Promise<void>>> = {
  'a segment that is replaced under its writer': replacedSegment,
  'an archive that is replaced under its writer': replacedArchive,
  'a disk that fails where room for a record is made': failedRoom,
};

const ARCHIVE = '/archive';

async function replacedSegment(): Promise<void> {
  const system = SimulatedFileSystem.on();
  const wal = await Wal.open(LOG, simulatedOptions(system));
  await wal.append(batchAfter(0, 1)).durable;
  const segment = wal.segments().at(-1)?.path ?? '';
  const copy = system.open(`${LOG}/copy`, 'create');
  copy.write(system.disk.image().files.get(segment) ?? Buffer.alloc(0), 0);
  copy.close();
  system.rename(`${LOG}/copy`, segment);
  const outcome = await wal.append(batchAfter(1, 1)).durable.then(() => 'acknowledged', errorCode);
  await wal.close();
  if (outcome !== 'WAL_FENCED')
    throw new Error(`an append to a replaced segment: ${outcome ?? ''}`);
}

/** By that of another log, as when volumes are mounted in each other's place. */
async function replacedArchive(): Promise<void> {
  const system = SimulatedFileSystem.on();
  const wal = await archivingOn(system, LOG, ARCHIVE);
  await (await archivingOn(system, '/data/other', '/other')).close();
  system.rename(ARCHIVE, '/mine');
  system.rename('/other', ARCHIVE);
  const there = system.list(ARCHIVE);
  const outcome = await wal.maintenance.archiveSealed().then(() => 'archived', errorCode);
  await wal.close();
  if (outcome !== 'WAL_ARCHIVE_MISMATCH' || system.list(ARCHIVE).length > there.length)
    throw new Error(`segments for the archive of another log: ${outcome ?? ''}`);
}

async function archivingOn(
  fileSystem: SimulatedFileSystem,
  log: string,
  directory: string,
): Promise<Wal> {
  const archive = ArchiveDirectory.open(directory, { create: true, fileSystem });
  const wal = await Wal.open(log, { ...simulatedOptions(fileSystem, log.length), archive });
  while (wal.stats().rotations === 0)
    await wal.append(batchAfter(wal.lastSequence, 1, 3_000)).durable;
  return wal;
}

/** What says nothing of room is no full disk: the writer ends, and recovery decides. */
async function failedRoom(): Promise<void> {
  for (const code of ['EIO', 'EROFS']) {
    const system = SimulatedFileSystem.on();
    const wal = await Wal.open(LOG, simulatedOptions(system));
    const effect = (code: string) => ({ kind: 'error', code }) as const;
    system.faults.plan({ operation: 'create-zeroed', effect: effect('ENOSPC') });
    system.faults.plan({ operation: 'write', path: /next-1-[2-9]/, effect: effect(code) });
    let outcome: string | undefined;
    while (outcome === undefined)
      outcome = await appended(wal).then(
        () => undefined,
        (error: unknown) => errorCode(error) ?? String(error),
      );
    await wal.close().catch(() => undefined);
    if (outcome !== 'WAL_POISONED') throw new Error(`zeros that met ${code}: ${outcome}`);
  }
}

/** As one promise: an append may throw at once. */
async function appended(wal: Wal): Promise<void> {
  await wal.append(batchAfter(wal.lastSequence, 1, 3_000)).durable;
}
