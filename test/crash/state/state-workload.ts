/**
 * Appends and checkpoints until it is killed, or kills itself at a step of its n-th checkpoint. Says what is durable, one position a line; a pipe is written to
 * synchronously, so that nothing that was said is lost with the process.
 * Arguments: a directory, a step or `none`, n.
 */
import { WalEventLog } from '@holdfast/event-store';
import { join } from 'node:path';
import { commitOf, optionsOf } from './counting.js';

const [directory = '', step = 'none', nth = '1'] = process.argv.slice(2);
let begun = 0;

const log = await WalEventLog.open(
  join(directory, 'log'),
  optionsOf({
    directory: join(directory, 'state'),
    snapshotDirectory: join(directory, 'snapshots'),
    checkpointEntries: 400,
    onEvent: (event) => {
      if (event.kind !== 'checkpoint-step') return;
      if (event.step === 'frozen') begun++;
      if (event.step === step && begun >= Number(nth)) process.kill(process.pid, 'SIGKILL');
    },
  }),
);
process.stdout.write(`open ${log.replayReport.after}\n`);
for (let number = log.lastPosition + 1; ; number += 3) {
  const { durable, position } = log.append(commitOf(number));
  if (number % 10 > 7) {
    await durable;
    process.stdout.write(`durable ${position}\n`);
  }
  // A snapshot now and then, so that it is killed in the middle of one too.
  if (number % 2_000 < 3) log.snapshot().catch(() => undefined);
}
