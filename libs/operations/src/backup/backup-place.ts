import { lstatSync, readlinkSync } from 'node:fs';
import { join, parse, resolve, sep } from 'node:path';
import { errorCode } from '@holdfast/kernel';

/** As the operating system counts: more links than this in one path are a loop. */
const LINKS_MAX = 40;

/** Below which directory backups may be made; empty: anywhere. */
export class BackupPlace {
  private readonly root: string | undefined;

  constructor(root: string) {
    this.root = root === '' ? undefined : resolve(root);
  }

  /** Whether a backup may be made there, however the path is spelt, and wherever links in it lead. */
  allows(directory: string): boolean {
    if (this.root === undefined) return true;
    const root = realPath(this.root) ?? this.root;
    const below = root.endsWith(sep) ? root : `${root}${sep}`;
    return realPath(directory)?.startsWith(below) === true;
  }
}

/** With every link followed, also of what does not exist yet: a link whose target is missing counts as its target. `undefined` when there are too many. */
function realPath(path: string): string | undefined {
  let links = 0;
  const pending = resolve(path).split(sep).slice(1);
  let real = parse(resolve(path)).root;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const link = linkAt(join(real, name));
    if (link === undefined) {
      real = join(real, name);
      continue;
    }
    if (++links > LINKS_MAX) return undefined;
    const target = resolve(real, link);
    pending.unshift(...target.split(sep).slice(1));
    real = parse(target).root;
  }
  return real;
}

function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
