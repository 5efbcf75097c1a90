import { assert } from '@holdfast/kernel';
import { join } from 'node:path';
import type { EventStore } from '../store/event-store.js';
import type { ProjectionThreadData } from './projection.worker.js';

/** The script of a projection's thread. */
export const PROJECTION_THREAD = new URL('./projection.worker.js', import.meta.url);

/** Whether one can be run: it reads the files of a real disk, and imports the features from theirs. */
export function canRunThread({
  features,
  options,
}: Pick<EventStore, 'features' | 'options'>): boolean {
  return options.wal?.fileSystem === undefined && features.every(({ url }) => url !== undefined);
}

export function threadData(
  name: string,
  readModelDirectory: string,
  { features, options }: Pick<EventStore, 'features' | 'options'>,
): ProjectionThreadData {
  assert(options.wal?.fileSystem === undefined, 'a thread reads the files of a real disk');
  const urls = features.map(({ url }) => url);
  assert(
    !urls.includes(undefined),
    'each feature has `url: import.meta.url` where projections run in threads: they import it from there',
  );
  return {
    ...{ name, readModelDirectory, urls: urls as string[] },
    walDirectory: join(options.directory, 'wal'),
    archiveDirectory: options.wal?.archive?.directory,
  };
}
