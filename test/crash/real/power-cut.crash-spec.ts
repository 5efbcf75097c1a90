import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canCutPower,
  FileSystemImage,
  type JournaledFileSystem,
} from '../../support/file-system-image.js';
import { Journal } from './journal.js';
import { describeWith } from './requirements.js';
import { startWorkload } from './run-workload.js';

const CUTS = 10;

/** A real journal loses its power under a writer. Supports the claim that what was acknowledged was synced, and its names with it. */
for (const type of ['ext4', 'xfs'] as const satisfies JournaledFileSystem[]) {
  describeWith(
    `root, loop devices, mkfs.${type} and xfs_io`,
    () => canCutPower(type),
    `power cuts on ${type}`,
    () => {
      let directory: string;
      let image: FileSystemImage;

      beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), 'power-'));
        image = new FileSystemImage(directory, type);
      });

      afterEach(() => {
        image.remove();
        rmSync(directory, { recursive: true });
      });

      it.each(['sync', 'interval', 'none'] as const)(
        `loses nothing acknowledged in ${CUTS} cuts, durability %s`,
        async (durability) => {
          const log = join(image.mountPoint, 'log');
          const journal = new Journal();
          let interrupted = 0;
          for (let cut = 1; cut <= CUTS; cut++) {
            const running = startWorkload({
              directory: log,
              run: `cut${cut}`,
              batches: 100_000,
              appenders: 1 + (cut % 4),
              durability,
              ioMode: cut % 2 === 0 ? 'synchronous' : 'asynchronous',
            });
            // Something is acknowledged and more is in flight; how much is never the same.
            await running.acknowledged(1 + ((7 * cut) % 23));
            image.cutPower();
            const outcome = await running.outcome;
            if (!outcome.closed) interrupted++;
            journal.add(outcome);
            image.restart();
            await journal.check(log);
          }
          expect(interrupted).toBe(CUTS);
          expect(journal.acknowledgedBatches).toBeGreaterThan(CUTS);
        },
        300_000,
      );
    },
  );
}
