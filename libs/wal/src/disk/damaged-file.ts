import { errorMessage } from '@holdfast/kernel';
import { isRotten } from '../wal.errors.js';
import type { ReadableFile } from './file-system.js';

/** What a disk gives or loses as one. */
const PAGE_BYTES = 4096;

/** Where zeros stand for what cannot be read. */
export interface Hole {
  readonly at: number;
  readonly to: number;
  readonly reason: string;
}

/** A file as far as it can be read, for salvage: zeros stand where the disk gives nothing, or where a block of an archive is damaged. What is a frame is left to checksums. */
export class DamagedFile implements ReadableFile {
  readonly path: string;
  /** Pages by where they begin. They are asked for once: a disk may take seconds to say no. */
  private readonly lost = new Map<number, Hole>();

  constructor(private readonly file: ReadableFile) {
    this.path = file.path;
  }

  size(): number {
    return this.file.size();
  }

  read(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.length, this.size());
    const isMet = [...this.lost.values()].some(({ at, to }) => at < end && to > position);
    const isRead = !isMet && this.whyNot(target, position) === undefined;
    for (let at = position; !isRead && at < end;) {
      const page = at - (at % PAGE_BYTES);
      const to = Math.min(end, page + PAGE_BYTES);
      const part = target.subarray(at - position, to - position);
      const reason = this.lost.get(page)?.reason ?? this.whyNot(part, at);
      if (reason !== undefined) {
        this.lost.set(page, { at: page, to: Math.min(page + PAGE_BYTES, this.size()), reason });
        part.fill(0);
      }
      at = to;
    }
    return Math.max(0, end - position);
  }

  close(): void {
    this.file.close();
  }

  /** In their order; pages beside one another are one. */
  holes(): readonly Hole[] {
    const holes: Hole[] = [];
    for (const page of [...this.lost.values()].sort((a, b) => a.at - b.at)) {
      const last = holes.at(-1);
      if (last?.to === page.at) holes[holes.length - 1] = { ...last, to: page.to };
      else holes.push(page);
    }
    return holes;
  }

  /** Reads, or says why that cannot be done. */
  private whyNot(target: Uint8Array, position: number): string | undefined {
    try {
      this.file.read(target, position);
      return undefined;
    } catch (error) {
      if (isRotten(error)) return errorMessage(error);
      throw error;
    }
  }
}
