import { errorMessage } from '@holdfast/kernel';
import { readFloors } from '../../directory/floors.js';
import { type Manifest, readManifest } from '../../directory/manifest.js';
import { isWatermarkDamaged, readWatermark, type Watermark } from '../../directory/watermark.js';
import type { FileSystem } from '../../disk/file-system.js';
import { isOfNoUse } from '../../wal.errors.js';
import type { SalvageLoss } from './salvage-candidate.js';

/** What stands beside the segments and tells of them; undefined is what is not there, or cannot be read. */
export interface Witnesses {
  readonly manifest: Manifest | undefined;
  readonly watermark: Watermark | undefined;
  /** Empty where there are none. */
  readonly floors: ReadonlyMap<string, number> | undefined;
}

/** One that is there and cannot be read may have promised what no segment tells of: a loss. MANIFEST promises nothing but where the log begins. */
export function readWitnesses(
  fileSystem: FileSystem,
  directory: string,
  losses: SalvageLoss[],
): Witnesses {
  const lose = (why: string): void => {
    const reason = `what was promised is not known: ${why}`;
    losses.push({ file: directory, from: 0, to: 0, reason });
  };
  const read = <Witness>(work: () => Witness, tell = lose): Witness | undefined => {
    try {
      return work();
    } catch (error) {
      if (!isOfNoUse(error)) throw error;
      tell(errorMessage(error));
      return undefined;
    }
  };
  return {
    manifest: read(
      () => readManifest(fileSystem, directory),
      () => undefined,
    ),
    watermark: read(() => {
      if (isWatermarkDamaged(fileSystem, directory)) lose('WATERMARK is damaged');
      return readWatermark(fileSystem, directory);
    }),
    floors: read(() => readFloors(fileSystem, directory)),
  };
}
