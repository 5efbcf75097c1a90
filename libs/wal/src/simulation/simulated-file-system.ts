import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { File, FileSystem } from '../disk/file-system.js';
import { compressBlock, decompressBlock, type StoredBlock } from '../format/block-codec.js';
import { crc32 } from '../format/checksum.js';
import {
  type DiskImage,
  SimulatedDirectory,
  SimulatedDisk,
  SimulatedFile,
  type SimulatedNode,
} from './simulated-disk.js';
import { SimulatedFaults, systemError } from './simulated-faults.js';

/**
 * The port, on a disk in memory: as one process sees it. Locks belong to the process; others on the same disk come from `sibling`. Everything that
 * changes the disk is in `disk.operations`, so that every crash can be played afterwards. Nothing is random.
 */
export class SimulatedFileSystem implements FileSystem {
  readonly faults = new SimulatedFaults();
  /** Calls on files that were closed: on a real disk they may hit another file that has got the same number. */
  readonly misuses: string[] = [];
  private readonly openFiles = new Set<SimulatedHandle>();
  private dead = false;

  private constructor(
    readonly disk: SimulatedDisk,
    private readonly locks: Map<SimulatedFile, SimulatedHandle>,
  ) {}

  static on(image?: DiskImage): SimulatedFileSystem {
    return new SimulatedFileSystem(new SimulatedDisk(image), new Map());
  }

  /** Another process on the same disk. */
  sibling(): SimulatedFileSystem {
    return new SimulatedFileSystem(this.disk, this.locks);
  }

  /** `kill -9`: the locks are free, and nothing that this process still does reaches the disk. */
  kill(): void {
    this.dead = true;
    for (const handle of this.openFiles) this.unlock(handle);
  }

  list(directory: string): string[] {
    this.faults.meet('list', directory);
    return [...this.directory(directory).entries.keys()];
  }

  exists(path: string): boolean {
    this.assertAlive(path);
    return this.disk.find(path) !== undefined;
  }

  makeDirectory(path: string): void {
    const [parent, name] = this.place(path);
    if (parent.entries.has(name)) throw systemError('EEXIST', 'mkdir', path);
    this.disk.changeEntries(parent, [[name, this.disk.newDirectory()]]);
  }

  open(path: string, mode: 'read' | 'write' | 'create'): File {
    this.faults.meet('open', path);
    const [parent, name] = this.place(path);
    const existing = parent.entries.get(name);
    if (mode === 'create' && existing !== undefined) throw systemError('EEXIST', 'open', path);
    if (mode !== 'create' && existing === undefined) throw systemError('ENOENT', 'open', path);
    if (existing instanceof SimulatedDirectory) throw systemError('EISDIR', 'open', path);
    const file = existing ?? this.disk.newFile();
    if (existing === undefined) this.disk.changeEntries(parent, [[name, file]]);
    const handle = new SimulatedHandle(this, path, file, mode !== 'read');
    this.openFiles.add(handle);
    return handle;
  }

  isAt(file: File, path: string): boolean {
    this.assertAlive(path);
    return this.disk.find(path) === this.handleOf(file).file;
  }

  async publish(from: string, to: string): Promise<void> {
    await setImmediate();
    this.faults.meet('publish', to);
    const [source, sourceName] = this.place(from);
    const [target, targetName] = this.place(to);
    const node = this.existing(from);
    if (target.entries.has(targetName)) throw systemError('EEXIST', 'link', to);
    // Two changes, as link and unlink are.
    this.disk.changeEntries(target, [[targetName, node]]);
    await setImmediate();
    this.assertAlive(from);
    if (!source.entries.has(sourceName)) throw systemError('ENOENT', 'unlink', from);
    this.disk.changeEntries(source, [[sourceName, undefined]]);
  }

  rename(from: string, to: string): void {
    this.faults.meet('rename', to);
    const [source, sourceName] = this.place(from);
    const [target, targetName] = this.place(to);
    const node = this.existing(from);
    if (source !== target) throw systemError('EXDEV', 'rename', to);
    this.disk.changeEntries(source, [
      [sourceName, undefined],
      [targetName, node],
    ]);
  }

  unlink(path: string): void {
    this.faults.meet('unlink', path);
    const [parent, name] = this.place(path);
    this.existing(path);
    this.disk.changeEntries(parent, [[name, undefined]]);
  }

  syncDirectory(directory: string): void {
    const effect = this.faults.meet('sync-directory', directory);
    if (effect?.kind === 'lying-sync') return;
    this.disk.operations.push({ kind: 'sync-directory', directory: this.directory(directory) });
  }

  async syncDirectoryAsync(directory: string): Promise<void> {
    await setImmediate();
    this.syncDirectory(directory);
  }

  tryLock(file: File): boolean {
    const handle = this.handleOf(file);
    const holder = this.locks.get(handle.file);
    if (holder !== undefined && holder !== handle) return false;
    this.locks.set(handle.file, handle);
    return true;
  }

  isNetwork(): boolean {
    return false;
  }

  space(): { totalBytes: number; freeBytes: number } {
    const { capacityBytes, freeBytes } = this.disk;
    // A disk without a size does not say.
    return capacityBytes === Infinity
      ? { totalBytes: 0, freeBytes: 0 }
      : { totalBytes: capacityBytes, freeBytes };
  }

  ancestry(path: string): readonly string[] {
    const identities: string[] = [];
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const node = this.disk.find(at);
      if (node !== undefined) identities.push(String(node.id));
    }
    return [...identities, String(this.disk.root.id)];
  }

  async createZeroed(path: string, bytes: number): Promise<void> {
    await setImmediate();
    this.faults.meet('create-zeroed', path);
    const file = this.open(path, 'create');
    try {
      file.write(Buffer.alloc(bytes), 0);
      await setImmediate();
      file.dataSync();
    } finally {
      file.close();
    }
  }

  async sha256(path: string, bytes: number): Promise<Uint8Array> {
    await setImmediate();
    this.faults.meet('sha256', path);
    const content = Buffer.alloc(bytes);
    const file = this.open(path, 'read');
    const read = file.read(content, 0);
    file.close();
    if (read < bytes) throw systemError('EIO', 'sha256', path);
    return createHash('sha256').update(content).digest();
  }

  async compress(bytes: Uint8Array, blockBytes: number): Promise<Uint8Array[]> {
    await setImmediate();
    const blocks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += blockBytes)
      blocks.push(new Uint8Array(compressBlock(bytes.subarray(at, at + blockBytes))));
    return blocks;
  }

  async sha256OfBlocks(
    path: string,
    blocks: readonly StoredBlock[],
    bytes: number,
  ): Promise<Uint8Array> {
    await setImmediate();
    this.faults.meet('sha256', path);
    const file = this.open(path, 'read');
    const content = blocks.map((block) => {
      const stored = Buffer.alloc(block.storedBytes);
      if (file.read(stored, block.offset) < stored.length || crc32(stored) !== block.crc)
        throw systemError('EBADMSG', 'sha256OfBlocks', path);
      return decompressBlock(stored, block.bytes);
    });
    file.close();
    return createHash('sha256').update(Buffer.concat(content).subarray(0, bytes)).digest();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** How many files this process holds open: a test's way to see that none is forgotten. */
  get openFileCount(): number {
    return this.openFiles.size;
  }

  /** For handles: a dead process does nothing. */
  assertAlive(path: string): void {
    if (this.dead) throw systemError('ESRCH', 'any call of a dead process', path);
  }

  closed(handle: SimulatedHandle): void {
    this.openFiles.delete(handle);
    this.unlock(handle);
  }

  private unlock(handle: SimulatedHandle): void {
    if (this.locks.get(handle.file) === handle) this.locks.delete(handle.file);
  }

  private handleOf(file: File): SimulatedHandle {
    if (file instanceof SimulatedHandle) return file;
    throw new TypeError('a file is used with the file system that opened it');
  }

  private place(path: string): [SimulatedDirectory, string] {
    const slash = path.lastIndexOf('/');
    return [this.directory(path.slice(0, slash)), path.slice(slash + 1)];
  }

  private directory(path: string): SimulatedDirectory {
    this.assertAlive(path);
    const node = this.disk.find(path);
    if (node instanceof SimulatedDirectory) return node;
    throw systemError(node === undefined ? 'ENOENT' : 'ENOTDIR', 'open directory', path);
  }

  private existing(path: string): SimulatedNode {
    const node = this.disk.find(path);
    if (node === undefined) throw systemError('ENOENT', 'find', path);
    return node;
  }
}

class SimulatedHandle implements File {
  private open = true;

  constructor(
    private readonly system: SimulatedFileSystem,
    readonly path: string,
    readonly file: SimulatedFile,
    private readonly writable: boolean,
  ) {}

  size(): number {
    this.assertOpen('fstat');
    return this.file.content.length;
  }

  read(target: Uint8Array, position: number): number {
    this.assertOpen('read');
    this.system.faults.meet('read', this.path);
    const end = Math.min(this.file.content.length, position + target.length);
    if (position >= end) return 0;
    target.set(this.file.content.subarray(position, end));
    return end - position;
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    await setImmediate();
    return this.read(target, position);
  }

  write(source: Uint8Array, position: number): number {
    this.assertOpen('write');
    const effect = this.system.faults.meet('write', this.path);
    const short = effect?.kind === 'short-write' ? effect.bytes : Infinity;
    const bytes = Buffer.from(source.subarray(0, short));
    const distance = effect?.kind === 'misdirected-write' ? effect.distance : 0;
    const grown = position + bytes.length - this.file.content.length;
    if (grown > this.system.disk.freeBytes) throw systemError('ENOSPC', 'write', this.path);
    this.system.disk.change(this.file, { kind: 'write', offset: position + distance, bytes });
    return bytes.length;
  }

  async writeAsync(source: Uint8Array, position: number): Promise<number> {
    await setImmediate();
    return this.write(source, position);
  }

  dataSync(): void {
    this.assertOpen('fdatasync');
    const effect = this.system.faults.meet('data-sync', this.path);
    if (effect?.kind === 'lying-sync') return;
    if (effect?.kind === 'failed-sync') {
      this.system.disk.operations.push({ kind: 'forget', file: this.file });
      throw systemError(effect.code, 'fdatasync', this.path);
    }
    this.system.disk.operations.push({ kind: 'sync', file: this.file });
  }

  async dataSyncAsync(): Promise<void> {
    await setImmediate();
    this.dataSync();
  }

  truncate(bytes: number): void {
    this.assertOpen('ftruncate');
    this.system.disk.change(this.file, { kind: 'truncate', size: bytes });
  }

  close(): void {
    if (!this.open) throw systemError('EBADF', 'close', this.path);
    this.open = false;
    this.system.closed(this);
  }

  private assertOpen(operation: string): void {
    this.system.assertAlive(this.path);
    if (!this.open) {
      this.system.misuses.push(`${operation} ${this.path}`);
      throw systemError('EBADF', operation, this.path);
    }
    if (!this.writable && (operation === 'write' || operation === 'ftruncate'))
      throw systemError('EBADF', operation, this.path);
  }
}
