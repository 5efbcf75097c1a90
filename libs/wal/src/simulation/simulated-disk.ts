/**
 * A disk in memory that remembers what a power cut may take away. What running programs see (the page cache) is kept in the
 * tree; what is durable follows from the log of operations, which `DiskReplay` plays up to any moment.
 *
 * The model: a write reaches the disk when its file is synced, and before that in any order, in sectors of 512 bytes, or never. A
 * name is durable when its directory is synced, and before that each change of a directory by itself, whole or not at all.
 */
export class SimulatedFile {
  private current: Buffer;
  /** Somebody else holds the same bytes: they are copied before they change. Most files of most crash states never do. */
  private isShared = true;

  /** `initial` was on the disk before the first operation. */
  constructor(
    readonly id: number,
    readonly initial: Buffer = EMPTY,
  ) {
    this.current = initial;
  }

  /** As it is now: look at it before the next change, or take a `snapshot`. */
  get content(): Buffer {
    return this.current;
  }

  /** Stays as it is. */
  snapshot(): Buffer {
    this.isShared = true;
    return this.current;
  }

  apply(change: FileChange): void {
    const own = this.isShared ? Buffer.from(this.current) : this.current;
    this.isShared = false;
    this.current = applyChange(own, change);
  }
}

export class SimulatedDirectory {
  readonly entries: Map<string, SimulatedNode>;

  constructor(
    readonly id: number,
    readonly initial: ReadonlyMap<string, SimulatedNode> = new Map(),
  ) {
    this.entries = new Map(initial);
  }
}

export type SimulatedNode = SimulatedFile | SimulatedDirectory;

export type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

/** Names that appear, and names that go (undefined): atomic, as a rename is. */
export type EntryChange = readonly (readonly [name: string, node: SimulatedNode | undefined])[];

export type DiskOperation =
  | { readonly kind: 'change'; readonly file: SimulatedFile; readonly change: FileChange }
  | { readonly kind: 'sync'; readonly file: SimulatedFile }
  /** A sync failed and the kernel called the pages clean: what was pending will never reach the disk by itself. */
  | { readonly kind: 'forget'; readonly file: SimulatedFile }
  | {
      readonly kind: 'entry';
      readonly directory: SimulatedDirectory;
      readonly change: EntryChange;
    }
  | { readonly kind: 'sync-directory'; readonly directory: SimulatedDirectory }
  /** Something the outside world learnt at this moment: an acknowledgement, a record shown to a reader. */
  | { readonly kind: 'mark'; readonly mark: unknown };

/** Files by absolute path, and every directory. */
export interface DiskImage {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly directories: ReadonlySet<string>;
}

const EMPTY = Buffer.alloc(0);

export class SimulatedDisk {
  readonly root: SimulatedDirectory;
  readonly operations: DiskOperation[] = [];
  /** All files together take no more. */
  capacityBytes = Infinity;
  private lastId = 0;

  /** Everything in the image is durable. */
  constructor(image: DiskImage = { files: new Map(), directories: new Set() }) {
    this.root = this.planted('/', image);
  }

  newFile(): SimulatedFile {
    return new SimulatedFile(++this.lastId);
  }

  newDirectory(): SimulatedDirectory {
    return new SimulatedDirectory(++this.lastId);
  }

  change(file: SimulatedFile, change: FileChange): void {
    file.apply(change);
    this.operations.push({ kind: 'change', file, change });
  }

  changeEntries(directory: SimulatedDirectory, change: EntryChange): void {
    applyEntries(directory.entries, change);
    this.operations.push({ kind: 'entry', directory, change });
  }

  mark(mark: unknown): void {
    this.operations.push({ kind: 'mark', mark });
  }

  find(path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.root;
    for (const name of path.split('/').filter((part) => part !== ''))
      node = node instanceof SimulatedDirectory ? node.entries.get(name) : undefined;
    return node;
  }

  get freeBytes(): number {
    if (this.capacityBytes === Infinity) return Infinity;
    let used = 0;
    for (const content of this.image().files.values()) used += content.length;
    return this.capacityBytes - used;
  }

  /** What running programs see, and what is left when a process dies but the machine goes on. */
  image(): DiskImage {
    return walk(
      this.root,
      (directory) => directory.entries,
      (file) => file.snapshot(),
    );
  }

  /** Damage by the medium: the byte is different on the disk and for everybody who reads. */
  flipBit(path: string, offset: number, bit = 0): void {
    const file = this.find(path);
    if (!(file instanceof SimulatedFile) || offset >= file.content.length)
      throw new RangeError(`${path} has no byte ${offset}`);
    const flipped = Buffer.from([(file.content[offset] ?? 0) ^ (1 << bit)]);
    this.change(file, { kind: 'write', offset, bytes: flipped });
    this.operations.push({ kind: 'sync', file });
  }

  private planted(path: string, image: DiskImage): SimulatedDirectory {
    const entries = new Map<string, SimulatedNode>();
    for (const directory of image.directories)
      if (isChild(path, directory))
        entries.set(baseName(directory), this.planted(directory, image));
    for (const [file, content] of image.files)
      if (isChild(path, file))
        entries.set(baseName(file), new SimulatedFile(++this.lastId, content));
    return new SimulatedDirectory(++this.lastId, entries);
  }
}

export function applyChange(content: Buffer, change: FileChange): Buffer {
  if (change.kind === 'truncate') {
    if (change.size <= content.length) return content.subarray(0, change.size);
    return Buffer.concat([content, Buffer.alloc(change.size - content.length)]);
  }
  const end = change.offset + change.bytes.length;
  const target = end > content.length ? Buffer.alloc(end) : content;
  if (target !== content) content.copy(target, 0);
  change.bytes.copy(target, change.offset);
  return target;
}

export function applyEntries(entries: Map<string, SimulatedNode>, change: EntryChange): void {
  for (const [name, node] of change) {
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
  }
}

/** The tree as paths, with the entries and the content that the caller chooses for each node. */
export function walk(
  root: SimulatedDirectory,
  entriesOf: (directory: SimulatedDirectory) => ReadonlyMap<string, SimulatedNode>,
  contentOf: (file: SimulatedFile) => Buffer,
): DiskImage {
  const files = new Map<string, Buffer>();
  const directories = new Set<string>();
  const visit = (directory: SimulatedDirectory, path: string): void => {
    for (const [name, node] of entriesOf(directory)) {
      const place = `${path}/${name}`;
      if (node instanceof SimulatedFile) files.set(place, contentOf(node));
      else {
        directories.add(place);
        visit(node, place);
      }
    }
  };
  visit(root, '');
  return { files, directories };
}

function isChild(directory: string, path: string): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  return (parent === '' ? '/' : parent) === directory;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
