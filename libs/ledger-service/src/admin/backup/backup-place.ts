import { resolve, sep } from 'node:path';

/** Below which directory backups may be made; empty: anywhere. */
export class BackupPlace {
  private readonly root: string | undefined;

  constructor(root: string) {
    this.root = root === '' ? undefined : resolve(root);
  }

  /** Whether a backup may be made there, however the path is spelt. */
  allows(directory: string): boolean {
    if (this.root === undefined) return true;
    const below = this.root.endsWith(sep) ? this.root : `${this.root}${sep}`;
    return resolve(directory).startsWith(below);
  }
}
