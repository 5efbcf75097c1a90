import { crc32 } from 'node:zlib';
import { errorCode } from '@holdfast/kernel';
import { type Sequence, Wal, WalReader } from '@holdfast/wal';
import { restoreLog, verifyBackup } from '@holdfast/wal/maintenance';
import { type DiskImage, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';

const BACKUP = '/backup';
const RESTORED = '/restored';
const RECORD_BYTES = 200;
/** Behind both copies of a segment's header. */
const SEGMENT_DATA_START = 8192;

/** Backups and restores that no power cut is needed for to go wrong. */
export const BACKUP_PROBES: Readonly<Record<string, () => Promise<void>>> = {
  'a backup of two histories': twoHistories,
  'a backup with the end of another history': foreignEnd,
  'a directory that is not of backups': foreignDirectory,
  'a restored log whose end is damaged or gone': damagedEnd,
  'verification of a damaged end': verifiedEnd,
};

/** Two opens; the second one's segment begins with the record `old`. */
async function backedUp(): Promise<SimulatedFileSystem> {
  const system = SimulatedFileSystem.on();
  await append(system, 1, 'kept');
  await append(system, 2, 'old', (wal) => wal.maintenance.backup(BACKUP));
  return system;
}

async function append(
  system: SimulatedFileSystem,
  seed: number,
  mark: string,
  then: (wal: Wal) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const wal = await Wal.open(LOG, simulatedOptions(system, seed));
  await wal.append([Buffer.from(mark.padEnd(RECORD_BYTES, '.'))]).durable;
  await then(wal);
  await wal.close();
}

/** What a restore to the first record makes, in the place of the log. */
async function restoredInPlace(system: SimulatedFileSystem): Promise<SimulatedFileSystem> {
  await restoreLog(BACKUP, RESTORED, { fileSystem: system, upTo: 1 as Sequence });
  return swapped(system.disk.image());
}

function swapped({ files, directories }: DiskImage): SimulatedFileSystem {
  const moved = [...files].flatMap(([path, content]) => {
    if (path.startsWith(`${LOG}/`)) return [];
    return [[path.replace(RESTORED, LOG), content] as const];
  });
  const kept = [...directories].filter((path) => path !== RESTORED);
  return SimulatedFileSystem.on({ files: new Map(moved), directories: new Set(kept) });
}

async function lastText(image: DiskImage): Promise<string> {
  const system = SimulatedFileSystem.on(image);
  await restoreLog(BACKUP, RESTORED, { fileSystem: system });
  const wal = await Wal.open(LOG, simulatedOptions(swapped(system.disk.image()), 9));
  const text = Buffer.from(wal.recordAt(wal.lastSequence)?.payload ?? []).toString();
  await wal.close();
  return text.replace(/\.+$/, '');
}

/** A record of the same place and length in another history: the backup must be of the one that counts. */
async function twoHistories(): Promise<void> {
  const system = await restoredInPlace(await backedUp());
  await append(system, 3, 'new', async (wal) => {
    const before = readBackup(system);
    const code = await wal.maintenance.backup(BACKUP).then(() => undefined, errorCode);
    if (code !== 'WAL_BACKUP_REFUSED' || readBackup(system) !== before)
      throw new Error('the backup of what was forgotten is gone');
    await wal.maintenance.backup(BACKUP, { replace: true });
  });
  const found = await lastText(system.disk.image());
  if (found !== 'new') throw new Error(`the backup holds '${found}'`);
}

function readBackup(system: SimulatedFileSystem): string {
  return String(system.disk.image().files.get(`${BACKUP}/BACKUP`));
}

/** As a version has written it that took a name for the content: BACKUP is of one history, and the growing segment of another. */
async function foreignEnd(): Promise<void> {
  const { files, directories } = (await backedUp()).disk.image();
  const path = `${BACKUP}/BACKUP`;
  const lines = (files.get(path)?.toString('latin1') ?? '').split('\n').slice(0, -2);
  const mixed = lines.map((line) =>
    line.startsWith('timeline') ? 'timeline 0123456789abcdef' : line,
  );
  const text = `${mixed.join('\n')}\n`;
  const checksum = crc32(text).toString(16).padStart(8, '0');
  const system = SimulatedFileSystem.on({
    files: new Map(files).set(path, Buffer.from(`${text}crc ${checksum}\n`)),
    directories,
  });
  try {
    const { problems } = await verifyBackup(BACKUP, { fileSystem: system });
    if (problems.length === 0) throw new Error('a backup of two histories is called sound');
  } catch (error) {
    if (errorCode(error) !== 'WAL_CORRUPT') throw error;
  }
}

async function foreignDirectory(): Promise<void> {
  const path = `${BACKUP}/files/holiday.jpg`;
  const files = new Map([[path, Buffer.from('x')]]);
  const directories = new Set([BACKUP, `${BACKUP}/files`]);
  const system = SimulatedFileSystem.on({ files, directories });
  await append(system, 1, 'kept', async (wal) => {
    const made = await wal.maintenance.backup(BACKUP).then(
      () => true,
      (error: unknown) => errorCode(error) !== 'WAL_BACKUP_REFUSED',
    );
    if (made || !system.exists(path) || system.list(BACKUP).length > 1)
      throw new Error("a backup was made among somebody else's files");
  });
}

/** What was restored is promised before any writer has opened it. */
async function damagedEnd(): Promise<void> {
  const system = await backedUp();
  await restoreLog(BACKUP, RESTORED, { fileSystem: system });
  const image = swapped(system.disk.image()).disk.image();
  const segments = [...image.files.keys()].filter((path) => /^\/data\/.*\.wal$/.test(path)).sort();
  const damages: [what: string, files: Map<string, Buffer>][] = segments.map((path) => [
    `without ${path}`,
    new Map([...image.files].filter(([name]) => name !== path)),
  ]);
  for (const path of segments) {
    const content = image.files.get(path) ?? Buffer.alloc(0);
    const end = content.findLastIndex((byte) => byte !== 0) + 1;
    // The last frame: a header, and a record in its body. Of a segment without one, both copies of the header.
    const damaged = Buffer.from(content).fill(0, Math.max(0, end - RECORD_BYTES), end);
    if (end <= SEGMENT_DATA_START) damaged.fill(0, 0, SEGMENT_DATA_START);
    damages.push([`with ${path} damaged`, new Map(image.files).set(path, damaged)]);
  }
  for (const [what, files] of damages) {
    const disk = SimulatedFileSystem.on({ ...image, files });
    const refused = await Wal.open(LOG, {
      ...simulatedOptions(disk, 9),
      create: false,
      verifyOnOpen: true,
    }).then(
      () => false,
      (error: unknown) => /^WAL_(CORRUPT|MISSING_SEGMENT)$/.test(errorCode(error) ?? ''),
    );
    if (!refused) throw new Error(`the restored log opens ${what}`);
  }
}

/** Nothing is called sound that a start refuses, or whose end nothing vouches for. */
async function verifiedEnd(): Promise<void> {
  const system = SimulatedFileSystem.on();
  const wal = await Wal.open(LOG, simulatedOptions(system, 1));
  for (let at = 0; at < 3; at++) await wal.append([Buffer.alloc(RECORD_BYTES, at + 1)]).durable;
  system.kill();
  const image = system.disk.image();
  const path = [...image.files.keys()].find((name) => name.endsWith('.wal')) ?? '';
  const whole = image.files.get(path) ?? Buffer.alloc(0);
  const damaged = Buffer.from(whole);
  damaged.fill(0xa5, SEGMENT_DATA_START + RECORD_BYTES, SEGMENT_DATA_START + RECORD_BYTES + 16);
  for (const content of [whole, damaged]) {
    const files = new Map(image.files).set(path, content);
    files.delete(`${LOG}/WATERMARK`);
    const reader = await WalReader.open(LOG, {
      fileSystem: SimulatedFileSystem.on({ ...image, files }),
    });
    const { problems, unverified } = await reader.verify();
    await reader.close();
    if (unverified.length === 0) throw new Error('an end that nothing vouches for is called whole');
    if (problems.length > 0 !== (content === damaged))
      throw new Error(
        `${problems.length} problems in the ${problems.length > 0 ? 'whole' : 'damaged'} log`,
      );
  }
}
