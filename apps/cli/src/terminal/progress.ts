import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';

const load = createRequire(import.meta.url);

/** How far a piece of work has come. */
export interface Progress {
  /** `total` may grow; 0 when it is not known yet. */
  update(done: number, total: number, shown?: Readonly<Record<string, string>>): void;
  stop(): void;
}

const SILENT: Progress = { update: () => undefined, stop: () => undefined };
const REDRAWS_PER_SECOND = 10;

/** `format` is of cli-progress: `{bar}`, `{percentage}`, `{duration_formatted}`, and what `shown` names. */
export function progressOn(stream: Writable | NodeJS.WriteStream, format: string): Progress {
  if (!('isTTY' in stream) || !stream.isTTY) return SILENT;
  // Only here, since most commands draw none.
  const { SingleBar } = load('cli-progress') as typeof import('cli-progress');
  const bar = new SingleBar({
    stream,
    format,
    fps: REDRAWS_PER_SECOND,
    hideCursor: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
  });
  let started = false;
  return {
    update: (done, total, shown = {}) => {
      if (!started) bar.start(total, done, shown);
      started = true;
      bar.setTotal(total);
      bar.update(done, shown);
    },
    stop: () => bar.stop(),
  };
}
