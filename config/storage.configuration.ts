import { join } from 'node:path';
import { TextVariable } from './variable.js';

/** Where things lie on disk. */
export class StorageConfiguration {
  @TextVariable('HOLDFAST_DATA_DIRECTORY', {
    default: './data',
    meaning:
      'Holds the log in `wal/`, checkpointed state in `state/` and the read models in `read-models/`.',
    pattern: /^[^\0]{1,4096}$/,
    allowed: 'a path',
  })
  readonly dataDirectory!: string;

  get walDirectory(): string {
    return join(this.dataDirectory, 'wal');
  }

  get stateDirectory(): string {
    return join(this.dataDirectory, 'state');
  }

  get readModelDirectory(): string {
    return join(this.dataDirectory, 'read-models');
  }
}
