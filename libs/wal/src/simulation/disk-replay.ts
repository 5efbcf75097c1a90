import {
  applyChange,
  applyEntries,
  type DiskImage,
  type DiskOperation,
  type EntryChange,
  type FileChange,
  type SimulatedDirectory,
  type SimulatedDisk,
  type SimulatedFile,
  type SimulatedNode,
  walk,
} from './simulated-disk.js';

export interface PendingChange {
  readonly file: SimulatedFile;
  readonly change: FileChange;
}

export interface PendingEntry {
  readonly directory: SimulatedDirectory;
  readonly change: EntryChange;
}

/** Plays a recorded run again, operation by operation, and knows at each moment what is durable and what a power cut may take. */
export class DiskReplay {
  /** In the order in which they were made. */
  pendingChanges: PendingChange[] = [];
  pendingEntries: PendingEntry[] = [];
  readonly marks: unknown[] = [];
  private readonly durable = new Map<SimulatedFile, Buffer>();
  private readonly entries = new Map<SimulatedDirectory, Map<string, SimulatedNode>>();

  constructor(private readonly disk: SimulatedDisk) {}

  apply(operation: DiskOperation): void {
    switch (operation.kind) {
      case 'change':
        this.pendingChanges.push(operation);
        return;
      case 'sync':
        this.drain(operation.file);
        return;
      case 'forget':
        this.pendingChanges = this.pendingChanges.filter(({ file }) => file !== operation.file);
        return;
      case 'entry':
        this.pendingEntries.push(operation);
        return;
      case 'sync-directory':
        this.drainEntries(operation.directory);
        return;
      case 'mark':
        this.marks.push(operation.mark);
    }
  }

  /** What a power cut leaves when these pending changes have reached the disk. */
  image(changes: readonly PendingChange[], entries: readonly PendingEntry[]): DiskImage {
    const contents = new Map<SimulatedFile, Buffer>();
    for (const { file, change } of changes) {
      const before = contents.get(file) ?? Buffer.from(this.durableContent(file));
      contents.set(file, applyChange(before, change));
    }
    const names = new Map<SimulatedDirectory, Map<string, SimulatedNode>>();
    for (const { directory, change } of entries) {
      const changed = names.get(directory) ?? new Map(this.durableEntries(directory));
      applyEntries(changed, change);
      names.set(directory, changed);
    }
    return walk(
      this.disk.root,
      (directory) => names.get(directory) ?? this.durableEntries(directory),
      (file) => contents.get(file) ?? this.durableContent(file),
    );
  }

  durableContent(file: SimulatedFile): Buffer {
    return this.durable.get(file) ?? file.initial;
  }

  private durableEntries(directory: SimulatedDirectory): ReadonlyMap<string, SimulatedNode> {
    return this.entries.get(directory) ?? directory.initial;
  }

  private drain(file: SimulatedFile): void {
    const mine = this.pendingChanges.filter((pending) => pending.file === file);
    if (mine.length === 0) return;
    let content: Buffer = Buffer.from(this.durableContent(file));
    for (const { change } of mine) content = applyChange(content, change);
    this.durable.set(file, content);
    this.pendingChanges = this.pendingChanges.filter((pending) => pending.file !== file);
  }

  private drainEntries(directory: SimulatedDirectory): void {
    const names = new Map(this.durableEntries(directory));
    for (const pending of this.pendingEntries)
      if (pending.directory === directory) applyEntries(names, pending.change);
    this.entries.set(directory, names);
    this.pendingEntries = this.pendingEntries.filter((pending) => pending.directory !== directory);
  }
}

/** What is left when the power goes now and nothing that was not synced had reached the disk. */
export function afterPowerCut(disk: SimulatedDisk): DiskImage {
  const replay = new DiskReplay(disk);
  for (const operation of disk.operations) replay.apply(operation);
  return replay.image([], []);
}
