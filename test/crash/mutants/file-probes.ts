import { errorCode } from '@holdfast/kernel';
import { Wal } from '@holdfast/wal';
import { batchAfter, LOG, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';

/** What is done to the files of a log beside its writer. Each throws what is wrong. */
export const FILE_PROBES: Readonly<Record<string, () => Promise<void>>> = {
  'a segment that is replaced under its writer': replacedSegment,
};

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
