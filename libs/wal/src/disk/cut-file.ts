import type { File } from './file-system.js';
import { ReadOnlyFile } from './read-only-file.js';

/** The first bytes of a file, followed by others: a growing segment as if it had been finished there. Read-only. */
export class CutFile extends ReadOnlyFile {
  readonly path: string;

  constructor(
    private readonly file: File,
    private readonly cutAt: number,
    private readonly appendix: Uint8Array,
  ) {
    super();
    this.path = file.path;
  }

  size(): number {
    return this.cutAt + this.appendix.length;
  }

  read(target: Uint8Array, position: number): number {
    const own = target.subarray(0, Math.max(0, this.cutAt - position));
    const read = own.length === 0 ? 0 : this.file.read(own, position);
    return read + this.readAppendix(target, position, own.length);
  }

  async readAsync(target: Uint8Array, position: number): Promise<number> {
    const own = target.subarray(0, Math.max(0, this.cutAt - position));
    const read = own.length === 0 ? 0 : await this.file.readAsync(own, position);
    return read + this.readAppendix(target, position, own.length);
  }

  close(): void {
    this.file.close();
  }

  private readAppendix(target: Uint8Array, position: number, done: number): number {
    const from = Math.max(0, position - this.cutAt);
    const part = this.appendix.subarray(from, from + target.length - done);
    target.set(part, done);
    return part.length;
  }
}
