import { type File, NodeFileSystem } from '@holdfast/wal';

/** The real disk, whose syncs a test can hold up or let fail. */
export class FaultyDisk extends NodeFileSystem {
  private held: Promise<void> | undefined;
  private letGo: () => void = () => undefined;
  private failing = false;
  private readonly real = new WeakMap<File, File>();

  /** Syncs of data wait until `release`, as on a disk that is busy. */
  hold(): void {
    this.held = new Promise((resolve) => (this.letGo = resolve));
  }

  release(): void {
    this.held = undefined;
    this.letGo();
  }

  /** Every sync from now on fails, those that are held up too. */
  fail(): void {
    this.failing = true;
    this.release();
  }

  override open(path: string, mode: 'read' | 'write' | 'create'): File {
    const file = super.open(path, mode);
    const sync = (): void => {
      if (this.failing)
        throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      file.dataSync();
    };
    const watched: File = {
      path: file.path,
      size: () => file.size(),
      read: (target, position) => file.read(target, position),
      readAsync: (target, position) => file.readAsync(target, position),
      write: (source, position) => file.write(source, position),
      writeAsync: (source, position) => file.writeAsync(source, position),
      dataSync: sync,
      dataSyncAsync: async () => {
        await this.held;
        sync();
      },
      truncate: (bytes) => file.truncate(bytes),
      close: () => file.close(),
    };
    this.real.set(watched, file);
    return watched;
  }

  override isAt(file: File, path: string): boolean {
    return super.isAt(this.real.get(file) ?? file, path);
  }

  override tryLock(file: File): boolean {
    return super.tryLock(this.real.get(file) ?? file);
  }
}
