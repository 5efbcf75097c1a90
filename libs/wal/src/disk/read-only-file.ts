import type { File } from './file-system.js';

/** Something behind the port of files that is only read: whoever writes to it gets `EROFS`. */
export abstract class ReadOnlyFile implements File {
  abstract readonly path: string;
  abstract size(): number;
  abstract read(target: Uint8Array, position: number): number;
  abstract readAsync(target: Uint8Array, position: number): Promise<number>;
  abstract close(): void;

  write(): number {
    throw this.readOnly();
  }

  writeAsync(): Promise<number> {
    return Promise.reject(this.readOnly());
  }

  dataSync(): void {
    throw this.readOnly();
  }

  dataSyncAsync(): Promise<void> {
    return Promise.reject(this.readOnly());
  }

  truncate(): void {
    throw this.readOnly();
  }

  private readOnly(): Error {
    return Object.assign(new Error(`EROFS: ${this.path} is only read here`), { code: 'EROFS' });
  }
}
