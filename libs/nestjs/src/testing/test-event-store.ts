import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedFileSystem, afterPowerCut } from '@holdfast/wal/simulation';
import type { EventStoreOptions } from '../store/event-store.js';

const SEGMENT_BYTES = 1024 * 1024;

/**
 * Options of `EventStoreModule.forRoot` for a test: the real log on a disk in memory, and read models in a temporary directory. What ends a process
 * is kept in `failures`.
 */
export class TestEventStore {
  readonly failures: unknown[] = [];
  private readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  private fileSystem = this.withParents(SimulatedFileSystem.on());

  get options(): EventStoreOptions {
    const { directory, fileSystem } = this;
    return {
      directory,
      state: false,
      wal: { fileSystem, segmentBytes: SEGMENT_BYTES, frameBytesMax: SEGMENT_BYTES / 2 },
      onFatal: (error) => this.failures.push(error),
    };
  }

  /** The power is cut: nothing that the application of before still does reaches the disk, and what was not synced is gone. The options are of the next process on it. */
  kill(): EventStoreOptions {
    const image = afterPowerCut(this.fileSystem.disk);
    this.fileSystem.kill();
    this.fileSystem = this.withParents(SimulatedFileSystem.on(image));
    return this.options;
  }

  /** Removes the read models. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private withParents(fileSystem: SimulatedFileSystem): SimulatedFileSystem {
    const names = this.directory.split('/').slice(1);
    names.forEach((_, at) => {
      const parent = `/${names.slice(0, at + 1).join('/')}`;
      if (fileSystem.exists(parent)) return;
      fileSystem.makeDirectory(parent);
      fileSystem.syncDirectory(parent.slice(0, parent.lastIndexOf('/')));
    });
    return fileSystem;
  }
}
