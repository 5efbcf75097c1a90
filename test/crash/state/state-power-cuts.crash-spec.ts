import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { canCutPower, FileSystemImage } from '../../support/file-system-image.js';
import { describeWith } from '../real/requirements.js';
import { assertStateAfter, CHECKPOINT_STEPS, type Promised } from './state-oracle.js';

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

    /** Until the power goes. */
    async function run(step: string, nth: number, durability: string): Promise<Promised> {
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
      const last = (word: string): number =>
        Math.max(
          0,
          ...[...said.join('').matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, at]) =>
            Number(at),
          ),
        );
      return { durable: last('durable'), checkpointed: last('checkpointed') };
    }

    // Of a log that nobody syncs but the checkpoint, the power cut takes everything that the checkpoint has not asked for.
    it.each(['sync', 'none'])(
      'loses nothing that was durable at any step, durability %s',
      async (durability) => {
        let [durable, checkpoints] = [0, 0];
        for (const step of CHECKPOINT_STEPS)
          for (const nth of [1, 3]) {
            const promised = await run(step, nth, durability);
            durable = Math.max(durable, promised.durable);
            if (promised.checkpointed > 0) checkpoints++;
            image.restart();
            await assertStateAfter(image.mountPoint, { ...promised, durable });
          }
        expect(checkpoints).toBeGreaterThan(0);
      },
      600_000,
    );
  },
);
