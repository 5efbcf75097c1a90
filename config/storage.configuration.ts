import { join } from 'node:path';
import { TextVariable } from './variable.js';

/** Where things lie on disk. */
export class StorageConfiguration {
  @TextVariable('HOLDFAST_DATA_DIRECTORY', {
    default: './data',
    meaning:
      'Holds the log in `wal/`, checkpointed state in `state/`, snapshots of it in `snapshots/`, the archive in `archive/` and the read models in `read-models/`.',
    pattern: /^[^\0]{1,4096}$/,
    allowed: 'a path',
  })
  readonly dataDirectory!: string;

  @TextVariable('HOLDFAST_ARCHIVE_DIRECTORY', {
    default: '',
    meaning:
      'Where sealed segments are archived, possibly on another disk. Empty: `archive/` in the data directory. Every process that reads the log must see the same directory.',
    pattern: /^[^\0]{0,4096}$/,
    allowed: 'a path',
  })
  readonly archive!: string;

  @TextVariable('HOLDFAST_OUTLETS_DIRECTORY', {
    default: '',
    meaning:
      'Where `outlets.db` stands, with the positions of the outlets. Empty: the data directory.',
    pattern: /^[^\0]{0,4096}$/,
    allowed: 'a path',
  })
  readonly outlets!: string;

  get outletsFile(): string {
    return join(this.outlets === '' ? this.dataDirectory : this.outlets, 'outlets.db');
  }

  get walDirectory(): string {
    return join(this.dataDirectory, 'wal');
  }

  get stateDirectory(): string {
    return join(this.dataDirectory, 'state');
  }

  get snapshotDirectory(): string {
    return join(this.dataDirectory, 'snapshots');
  }

  get archiveDirectory(): string {
    return this.archive === '' ? join(this.dataDirectory, 'archive') : this.archive;
  }

  get readModelDirectory(): string {
    return join(this.dataDirectory, 'read-models');
  }
}
