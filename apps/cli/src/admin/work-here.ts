import type { WorkContext } from '@holdfast/operations';
import { bytesText, countText, durationText, remainingMillis } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

/** Does long work in this process, with a progress bar; Ctrl-C asks it to stop at the next safe place. */
export async function workHere<Result>(
  title: string,
  terminal: Terminal,
  work: (context: WorkContext) => Promise<Result>,
): Promise<Result> {
  const stopping = new AbortController();
  const stop = (): void => {
    terminal.note('Stopping at the next safe place …');
    stopping.abort();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const bar = terminal.progress(`${title} {bar} {percentage}%  {amount}  {left}`);
  const startedAt = performance.now();
  const progress: WorkContext['progress'] = (done, total, unit) => {
    const text = unit === 'bytes' ? bytesText : (count: number) => `${countText(count)} ${unit}`;
    const left = remainingMillis(done, total, performance.now() - startedAt);
    bar.update(done, total, {
      amount: `${text(done)} of ${text(total)}`,
      left: left === undefined ? '' : `${durationText(left)} left`,
    });
  };
  try {
    return await work({ signal: stopping.signal, progress });
  } finally {
    bar.stop();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
