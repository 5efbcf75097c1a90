import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKPOINT_STEPS, type Promised, assertStateAfter } from './state-oracle.js';

const PROGRAM = 'dist/test/crash/state/state-workload.js';

/** A real process with a real database, killed: what it said was durable is there, and the state is what the log makes it. */
describe('a process killed while it checkpoints', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'state-crash-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  /** Until it dies; the last position that it called durable, and where its replay began. */
  async function run(
    step: string,
    nth: number,
    killAfterMillis?: number,
  ): Promise<Promised & { after: number }> {
    const child: ChildProcess = spawn(process.execPath, [PROGRAM, directory, step, String(nth)], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said = { durable: 0, checkpointed: 0, after: 0 };
    child.stdout?.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) {
        const [word, number] = line.split(' ');
        if ((word === 'durable' || word === 'checkpointed') && number) said[word] = Number(number);
        if (word === 'open') {
          said.after = Number(number);
          if (killAfterMillis !== undefined)
            setTimeout(() => child.kill('SIGKILL'), killAfterMillis);
        }
      }
    });
    const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
    expect(signal).toBe('SIGKILL');
    return said;
  }

  it.each(CHECKPOINT_STEPS)(
    'at the step "%s" of its first, second and fourth checkpoint',
    async (step) => {
      for (const nth of [1, 2, 4]) {
        await assertStateAfter(directory, await run(step, nth));
      }
    },
  );

  it('at any moment, again and again', async () => {
    let checkpoints = 0;
    for (let round = 0; round < 12; round++) {
      const said = await run('none', 0, 20 + ((round * 37) % 400));
      checkpoints = Math.max(checkpoints, said.after);
      if (round % 3 === 2) await assertStateAfter(directory, said);
    }
    expect(checkpoints).toBeGreaterThan(0);
  });
});
