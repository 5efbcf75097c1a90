import type { Logger, ServiceLifecycle } from '@holdfast/platform';
import { LedgerWriter, type LedgerWriterOptions } from './ledger-writer.js';

export interface OpenLedgerWriterOptions extends Pick<LedgerWriterOptions, 'wal'> {
  readonly logger: Logger;
  readonly lifecycle: ServiceLifecycle;
}

/** A replay that takes longer than this is told of now and then, so that nobody takes it for a process that hangs. */
const PROGRESS_MILLIS = 2_000;

/** Opens the write side as a service does: with its progress in the log, and its failure as the end of the process. */
export async function openLedgerWriter(
  directory: string,
  { wal, logger, lifecycle }: OpenLedgerWriterOptions,
): Promise<LedgerWriter> {
  const startedAt = performance.now();
  let toldAt = startedAt;
  const writer = await LedgerWriter.open(directory, {
    ...(wal && { wal }),
    onReplayProgress: ({ position, lastPosition }) => {
      if (performance.now() - toldAt < PROGRESS_MILLIS) return;
      toldAt = performance.now();
      logger.info({ position, lastPosition }, 'replaying the log');
    },
  });
  const { logId, lastPosition } = writer.log;
  const replayMillis = Math.round(performance.now() - startedAt);
  logger.info({ directory, logId, lastPosition, replayMillis }, 'the log is open');
  void writer.failed.then((failure) => lifecycle.fatal(failure));
  return writer;
}
