/**
 * Appends and checkpoints until it is killed, or kills itself at a step of its n-th checkpoint. Says what is durable, one position a line; a pipe is written to
 * synchronously, so that nothing that was said is lost with the process.
 * Arguments: a directory, a step or `none`, n; the durability of the log; and the mount point of a file system whose power goes at that step, before the
 * process does.
 */
import { execFileSync } from 'node:child_process';
import { WalEventLog } from '@holdfast/event-store';
import type { Durability } from '@holdfast/wal';
import { join } from 'node:path';
import { commitOf, optionsOf } from './counting.js';

const [directory = '', step = 'none', nth = '1', durability = 'sync', mountPoint] =
  process.argv.slice(2);
let begun = 0;

function die(): void {
  if (mountPoint !== undefined)
    execFileSync('xfs_io', ['-x', '-c', 'shutdown', mountPoint], { stdio: 'ignore' });
  process.kill(process.pid, 'SIGKILL');
}

const { wal, ...options } = optionsOf({
  directory: join(directory, 'state'),
  snapshotDirectory: join(directory, 'snapshots'),
  checkpointEntries: 400,
  onEvent: (event) => {
    // Whatever the durability: what a checkpoint is made of is on the disk.
    if (event.kind === 'checkpointed')
      process.stdout.write(`checkpointed ${event.report.position}\n`);
    if (event.kind !== 'checkpoint-step') return;
    if (event.step === 'frozen') begun++;
    if (event.step === step && begun >= Number(nth)) die();
  },
});

const log = await WalEventLog.open(join(directory, 'log'), {
  ...options,
  wal: { ...wal, durability: durability as Durability },
});
process.stdout.write(`open ${log.replayReport.after}\n`);
for (let number = log.lastPosition + 1; ; number += 3) {
  const { position } = log.append(commitOf(number));
  if (number % 10 > 7) {
    await log.whenDurable(position);
    if (durability === 'sync') process.stdout.write(`durable ${position}\n`);
  }
  // A snapshot now and then, so that it is killed in the middle of one too.
  if (number % 2_000 < 3) log.snapshot().catch(() => undefined);
}
