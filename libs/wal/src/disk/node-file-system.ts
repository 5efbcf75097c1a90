import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { assert, defined, leaveThread, takeThread } from '@holdfast/kernel';
import { tryLock } from 'fs-native-extensions';
import type { StoredBlock } from '../format/block-codec.js';
import type { File, FileSystem } from './file-system.js';
import { NETWORK_FILE_SYSTEMS } from './network-file-systems.js';
import type { BackgroundAnswer, BackgroundJob } from './node-file-system.worker.js';

const linkAsync = promisify(fs.link);
const unlinkAsync = promisify(fs.unlink);
const fsyncAsync = promisify(fs.fsync);
const openAsync = promisify(fs.open);
const closeAsync = promisify(fs.close);
const fdatasyncAsync = promisify(fs.fdatasync);
const readSome = promisify(fs.read);

/** The real disk. The only file of the library, with its worker, that touches `node:fs`. */
export class NodeFileSystem implements FileSystem {
  private readonly background = new BackgroundWorker();

  list(directory: string): string[] {
    return fs.readdirSync(directory);
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  makeDirectory(path: string): void {
    fs.mkdirSync(path);
  }

  open(path: string, mode: 'read' | 'write' | 'create'): File {
    const flags = { read: 'r', write: 'r+', create: 'wx+' }[mode];
    return new NodeFile(path, fs.openSync(path, flags, 0o640));
  }

  isAt(file: File, path: string): boolean {
    assert(file instanceof NodeFile, 'a file is used with the file system that opened it');
    const found = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    const { dev, ino } = file.identity;
    return found?.ino === ino && found.dev === dev;
  }

  async publish(from: string, to: string): Promise<void> {
    // A hard link fails where the name exists; rename would replace it, and with it the segment of a writer that took over.
    // Crash between the two: one file with two names, and the next open unlinks the temporary one.
    await linkAsync(from, to);
    await unlinkAsync(from);
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  unlink(path: string): void {
    fs.unlinkSync(path);
  }

  syncDirectory(directory: string): void {
    const descriptor = fs.openSync(directory, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  async syncDirectoryAsync(directory: string): Promise<void> {
    const descriptor = await openAsync(directory, 'r');
    try {
      await fsyncAsync(descriptor);
    } finally {
      await closeAsync(descriptor);
    }
  }

  tryLock(file: File): boolean {
    assert(file instanceof NodeFile, 'a file is used with the file system that opened it');
    return tryLock(file.descriptor);
  }

  isNetwork(directory: string): boolean {
    return NETWORK_FILE_SYSTEMS.has(fs.statfsSync(nearestThatIsThere(directory)).type);
  }

  space(directory: string): { totalBytes: number; freeBytes: number } {
    const { bsize, blocks, bavail } = fs.statfsSync(directory);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  }

  ancestry(path: string): readonly string[] {
    const identities: string[] = [];
    for (let at = fs.realpathSync(nearestThatIsThere(path)); ; at = dirname(at)) {
      const { dev, ino } = fs.statSync(at, { bigint: true });
      identities.push(`${dev}:${ino}`);
      if (dirname(at) === at) return identities;
    }
  }

  async createZeroed(path: string, bytes: number): Promise<void> {
    await this.background.run({ kind: 'create-zeroed', path, bytes });
  }

  async sha256(path: string, bytes: number): Promise<Uint8Array> {
    return defined(
      (await this.background.run({ kind: 'sha256', path, bytes })).digest,
      'the digest',
    );
  }

  async compress(bytes: Uint8Array, blockBytes: number): Promise<Uint8Array[]> {
    const answer = await this.background.run({ kind: 'compress', bytes, blockBytes });
    return defined(answer.blocks, 'the blocks');
  }

  async sha256OfBlocks(
    path: string,
    blocks: readonly StoredBlock[],
    bytes: number,
  ): Promise<Uint8Array> {
    const answer = await this.background.run({ kind: 'sha256-of-blocks', path, blocks, bytes });
    return defined(answer.digest, 'the digest');
  }

  async close(): Promise<void> {
    await this.background.close();
  }
}

class NodeFile implements File {
  private known: fs.BigIntStats | undefined;

  constructor(
    readonly path: string,
    readonly descriptor: number,
  ) {}

  /** It stays what it is for as long as the file is open. */
  get identity(): fs.BigIntStats {
    return (this.known ??= fs.fstatSync(this.descriptor, { bigint: true }));
  }

  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  read(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const count = fs.readSync(
        this.descriptor,
        target,
        done,
        target.length - done,
        position + done,
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await readSome(
        this.descriptor,
        target,
        done,
        target.length - done,
        position + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  write(source: Uint8Array, position: number): number {
    return fs.writeSync(this.descriptor, source, 0, source.length, position);
  }

  writeAsync(source: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.descriptor, source, 0, source.length, position, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }

  dataSync(): void {
    fs.fdatasyncSync(this.descriptor);
  }

  dataSyncAsync(): Promise<void> {
    return fdatasyncAsync(this.descriptor);
  }

  truncate(bytes: number): void {
    fs.ftruncateSync(this.descriptor, bytes);
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

function nearestThatIsThere(path: string): string {
  let existing = resolve(path);
  // The root exists.
  while (!fs.existsSync(existing)) existing = dirname(existing);
  return existing;
}

/** The file beside this one, compiled or not: Node runs it either way, because it imports nothing of ours. */
const SCRIPT = new URL(
  `./node-file-system.worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

/**
 * One worker thread for the long jobs. Not the shared thread pool: six such jobs there raised the median commit from
 * 0.1 to 136 milliseconds.
 */
class BackgroundWorker {
  private worker: Worker | undefined;
  private closing: Promise<void> | undefined;
  private lastId = 0;
  private readonly waiting = new Map<
    number,
    { resolve: (answer: BackgroundAnswer) => void; reject: (error: Error) => void }
  >();

  run(job: BackgroundJob): Promise<BackgroundAnswer> {
    // A worker that is started now would have nobody to end it.
    if (this.closing !== undefined)
      return Promise.reject(new Error('the background worker was closed'));
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, job });
    });
  }

  /** Once: by the second time the thread may be somebody else's. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    if (this.waiting.size > 0) await worker.terminate();
    else await leaveThread(SCRIPT, worker);
  }

  private start(): Worker {
    const worker = takeThread(SCRIPT);
    worker.on('message', (answer: BackgroundAnswer) => {
      const waiter = defined(this.waiting.get(answer.id), 'the asker');
      this.waiting.delete(answer.id);
      // What is being ended keeps the process until it has ended: whoever closes waits for that.
      if (this.waiting.size === 0 && this.closing === undefined) worker.unref();
      if (answer.error === undefined) waiter.resolve(answer);
      else
        waiter.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    });
    worker.on('error', (error) => this.fail(worker, error));
    worker.on('exit', () => this.fail(worker, new Error('the background worker ended')));
    worker.unref();
    return worker;
  }

  /** One that has failed ends later, when another may have its place. */
  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    for (const waiter of this.waiting.values()) {
      waiter.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.waiting.clear();
  }
}
