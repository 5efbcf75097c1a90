import { BEFORE_FIRST, type LogSource, Wal, WalReader } from '@holdfast/wal';
import {
  type DiskImage,
  LOG,
  payloadOf,
  SimulatedFileSystem,
  simulatedOptions,
} from '@holdfast/wal/testing';
import type { Damage, Outcome } from './damages.js';
import type { GoldenLog } from './golden-logs.js';
import { floorsText } from './recorded-run.js';

/**
 * Opens a damaged log, beside it and as its writer, and reads everything. Throws when anything promised is silently missing or different, when a
 * refusal is not one of the log's own or changes a byte, and when the outcome is not one of those that the damage may have.
 */
export async function judge(golden: GoldenLog, damage: Damage): Promise<Outcome> {
  try {
    await readBesideIt(golden, damage);
    const outcome = await openIt(golden, damage);
    if (damage.outcomes?.includes(outcome) === false)
      throw new Error(`${outcome}, which must be ${damage.outcomes.join(' or ')}`);
    return outcome;
  } catch (error) {
    throw new Error(`${golden.name}, ${damage.what}: ${String(error)}`, { cause: error });
  }
}

async function openIt(golden: GoldenLog, damage: Damage): Promise<Outcome> {
  const damaged = damage.image;
  const system = SimulatedFileSystem.on(damaged);
  let wal: Wal;
  try {
    wal = await Wal.open(LOG, simulatedOptions(system, 9));
  } catch (error) {
    expectRefusal(error);
    if (!isSame(promisedFiles(system.disk.image()), promisedFiles(damaged)))
      throw new Error('the refusal changed the log', { cause: error });
    return 'refused';
  }
  try {
    const found = await readAll(wal);
    if (found === 'refused') return 'refused when read';
    const floors = floorsText(wal.floors.all());
    if (damaged.files.has(golden.floorsFile) && floors !== golden.floors)
      throw new Error(`silently other floors: '${floors}', not '${golden.floors}'`);
    if (found === golden.records)
      return JSON.stringify(wal.recovered) === golden.notes ? 'harmless' : 'repaired';
    if (found > golden.records)
      throw new Error(`${found} records where ${golden.records} were written`);
    const promised = golden.promised[damage.isOfSector === true ? 'despiteSector' : 'despiteByte'];
    if (found < promised) throw new Error(`silently only ${found} of ${promised} promised records`);
    return 'unpromised loss';
  } finally {
    await wal.close();
  }
}

/** A reader that does not recover sees less at most where the watermark says less. */
async function readBesideIt(golden: GoldenLog, { image }: Damage): Promise<void> {
  const fileSystem = SimulatedFileSystem.on(image);
  let reader: WalReader;
  try {
    reader = await WalReader.open(LOG, { fileSystem });
  } catch (error) {
    expectRefusal(error);
    return;
  }
  const found = await readAll(reader);
  await reader.close();
  const watermark = image.files.get(`${LOG}/WATERMARK`);
  const isIntact =
    watermark !== undefined && watermark === golden.image.files.get(`${LOG}/WATERMARK`);
  if (isIntact && found !== 'refused' && found !== golden.records)
    throw new Error(`a reader sees ${found} of ${golden.records} records`);
}

/** How many records there are, all of them as they were written; or that reading says it cannot. */
async function readAll(source: LogSource): Promise<number | 'refused'> {
  let last = 0;
  try {
    for await (const { sequence, payload } of source.read({ after: BEFORE_FIRST })) {
      if (sequence !== last + 1 || !payloadOf(sequence).equals(payload))
        throw new Error(`record ${sequence} is silently wrong`);
      last = sequence;
    }
    return last;
  } catch (error) {
    if (isWalError(error)) return 'refused';
    throw error;
  }
}

function expectRefusal(error: unknown): void {
  if (!isWalError(error)) throw error;
}

function isWalError(error: unknown): boolean {
  return error instanceof Error && error.name === 'WalError';
}

/** Everything but what an opener may touch: LOCK and claims. */
function promisedFiles({ files }: DiskImage): Map<string, Buffer> {
  return new Map([...files].filter(([path]) => !/\/(LOCK|claim-\d+)$/.test(path)));
}

function isSame(left: ReadonlyMap<string, Buffer>, right: ReadonlyMap<string, Buffer>): boolean {
  return (
    left.size === right.size &&
    [...left].every(([path, content]) => right.get(path)?.equals(content) === true)
  );
}
