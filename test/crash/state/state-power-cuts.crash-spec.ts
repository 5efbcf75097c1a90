import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { canCutPower, FileSystemImage } from '../../support/file-system-image.js';
import { describeWith } from '../real/requirements.js';
import { assertStateAfter, CHECKPOINT_STEPS } from './state-oracle.js';

const PROGRAM = 'dist/test/crash/state/state-workload.js';

/** A real journal loses its power at a step of a checkpoint: what log, record and database say of each other was synced in the right order. */
describeWith(
  'root, loop devices, mkfs.ext4 and xfs_io',
  () => canCutPower('ext4'),
  'a state whose power is cut while it is checkpointed, on ext4',
  () => {
    let directory: string;
    let image: FileSystemImage;

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'state-power-'));
      image = new FileSystemImage(directory, 'ext4');
    });

    afterEach(() => {
      image.remove();
      rmSync(directory, { recursive: true });
    });

    /** Until the power goes; the last position that was called durable. */
    async function run(step: string, nth: number, durability: string): Promise<number> {
      const child: ChildProcess = spawn(
        process.execPath,
        [PROGRAM, image.mountPoint, step, String(nth), durability, image.mountPoint],
        {
          env: { ...process.env, NODE_OPTIONS: '' },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const said: string[] = [];
      child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
      const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
      expect(signal).toBe('SIGKILL');
      const positions = [...said.join('').matchAll(/^durable (\d+)$/gm)];
      return Math.max(0, ...positions.map(([, position]) => Number(position)));
    }

    // Of a log that nobody syncs but the checkpoint, the power cut takes everything that the checkpoint has not asked for.
    it.each(['sync', 'none'])(
      'loses nothing that was durable at any step, durability %s',
      async (durability) => {
        let promised = 0;
        for (const step of CHECKPOINT_STEPS)
          for (const nth of [1, 3]) {
            promised = Math.max(promised, await run(step, nth, durability));
            image.restart();
            await assertStateAfter(image.mountPoint, promised);
          }
        expect(promised).toBeGreaterThan(0);
      },
      300_000,
    );
  },
);
