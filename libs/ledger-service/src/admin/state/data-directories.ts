/** Where what is made of the log is. */
export interface DataDirectories {
  readonly stateDirectory: string;
  readonly snapshotDirectory: string;
  /** May be missing: read models may be elsewhere. */
  readonly readModelDirectory: string;
}

export const DATA_DIRECTORIES = Symbol('the directories of the data');
