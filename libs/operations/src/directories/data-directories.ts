/** Where what is made of the log is. */
export interface DataDirectories {
  /** What holds them all, and the log, when they are kept together. */
  readonly dataDirectory?: string;
  /** On another disk, perhaps. */
  readonly archiveDirectory?: string;
  readonly stateDirectory: string;
  readonly snapshotDirectory: string;
  /** May be missing: read models may be elsewhere. */
  readonly readModelDirectory: string;
}

export function pathsOf(directories: DataDirectories): readonly string[] {
  const { dataDirectory, archiveDirectory } = directories;
  const { stateDirectory, snapshotDirectory, readModelDirectory } = directories;
  const shared = [dataDirectory, archiveDirectory].filter((path) => path !== undefined);
  return [...shared, stateDirectory, snapshotDirectory, readModelDirectory];
}
