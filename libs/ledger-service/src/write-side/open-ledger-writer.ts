import { dirname } from 'node:path';
import type { CommandWriterOptions } from '@holdfast/commands';
import {
  type CheckpointedStateOptions,
  type ClockBounds,
  type StateEvent,
  makeDurableDirectory,
  openData,
} from '@holdfast/event-store';
import type { Logger, ServiceLifecycle } from '@holdfast/platform';
import { openArchiveOf } from '@holdfast/wal/maintenance';
import { assertLedgersLog } from './assert-ledgers-log.js';
import { LedgerWriter } from './ledger-writer.js';
import { clockLogger } from './log-clock-changes.js';
import { stateEventLogger } from './log-state-events.js';

/** Where the parts of a service's data are. */
export interface LedgerStorage {
  readonly walDirectory: string;
  readonly stateDirectory: string;
  readonly snapshotDirectory: string;
  readonly archiveDirectory: string;
}

/** As the configuration says it. */
export interface LedgerStateSettings {
  readonly checkpointBytes: number;
  readonly checkpointSeconds: number;
  readonly snapshotHours: number;
  readonly cacheEntries: number;
  readonly keyRetentionDays: number;
}

/** As the configuration says it. */
export interface LedgerClockSettings {
  readonly skewSeconds: number;
  readonly gapDays: number;
  /** A time, or empty. */
  readonly accept: string;
}

export interface OpenLedgerWriterOptions extends Pick<CommandWriterOptions, 'wal'> {
  readonly storage: LedgerStorage;
  readonly state: LedgerStateSettings;
  readonly clock: LedgerClockSettings;
  /** The log is archived. Its archive is made with the log, or when the log may be made and has none; one that is there is read from in any case. */
  readonly archives: boolean;
  /** Makes an archive that is to be and is not there. As the log's own `create` when left out. */
  readonly createArchive?: boolean;
  readonly logger: Logger;
  readonly lifecycle: ServiceLifecycle;
}

/** A replay that takes longer than this is told of now and then, so that nobody takes it for a process that hangs. */
const PROGRESS_MILLIS = 2_000;
const SECOND_MILLIS = 1_000;
const HOUR_MILLIS = 3_600_000;
const DAY_MILLIS = 24 * HOUR_MILLIS;

/**
 * Opens the write side as a service does: with its progress in the log, and its failure as the end of the process. Throws what `openData` throws, `LEDGER_EVENT_UNKNOWN` before anything is made in the log of another service, and what opening the archive and the log throw.
 */
export async function openLedgerWriter(options: OpenLedgerWriterOptions): Promise<LedgerWriter> {
  const { storage, wal, archives } = options;
  const { walDirectory, stateDirectory, snapshotDirectory, archiveDirectory } = storage;
  const derivedDirectories = [stateDirectory, snapshotDirectory];
  const create = wal?.create === true;
  return openData({ walDirectory, derivedDirectories, archiveDirectory, create, archives }, () =>
    open(options),
  );
}

async function open(options: OpenLedgerWriterOptions): Promise<LedgerWriter> {
  const { storage, wal, archives, logger, lifecycle } = options;
  const { walDirectory, archiveDirectory } = storage;
  const startedAt = performance.now();
  let toldAt = startedAt;
  if (wal?.fileSystem === undefined) await assertLedgersLog(walDirectory);
  // The archive may be in the data directory, which is the log's to make. Durable first: a log in a directory that a power cut takes back would be lost with it.
  if (archives && wal?.create === true) makeDurableDirectory(dirname(walDirectory));
  const archive = openArchiveOf(walDirectory, archiveDirectory, {
    create: archives && (options.createArchive ?? wal?.create === true),
    required: archives,
  });
  const writer = await LedgerWriter.open(walDirectory, {
    wal: { ...wal, ...(archive && { archive }) },
    state: stateOptions(options, stateEventLogger(logger)),
    clockBounds: clockBounds(options),
    keyRetentionMillis: options.state.keyRetentionDays * DAY_MILLIS,
    onReplayProgress: ({ position, lastPosition }) => {
      if (performance.now() - toldAt < PROGRESS_MILLIS) return;
      toldAt = performance.now();
      logger.info({ position, lastPosition }, 'replaying the log');
    },
  });
  const { logId, lastPosition, replayReport } = writer.log;
  const openMillis = Math.round(performance.now() - startedAt);
  const replayed = { replayedEvents: replayReport.events, replayedBytes: replayReport.bytes };
  logger.info(
    { directory: walDirectory, logId, lastPosition, ...replayed, openMillis },
    'the log is open',
  );
  void writer.failed.then((failure) => lifecycle.fatal(failure));
  return writer;
}

function clockBounds({ clock, logger }: OpenLedgerWriterOptions): ClockBounds {
  const { skewSeconds, gapDays, accept } = clock;
  return {
    skewMillisMax: skewSeconds * SECOND_MILLIS,
    gapMillisMax: gapDays * DAY_MILLIS,
    acceptedMillis: accept === '' ? undefined : Date.parse(accept),
    onChange: clockLogger(logger),
  };
}

function stateOptions(
  { storage, state }: OpenLedgerWriterOptions,
  onEvent: (event: StateEvent) => void,
): CheckpointedStateOptions {
  const { stateDirectory: directory, snapshotDirectory } = storage;
  const { checkpointBytes, checkpointSeconds, snapshotHours, cacheEntries } = state;
  return {
    ...{ directory, snapshotDirectory, checkpointBytes, cacheEntries, onEvent },
    checkpointMillis: checkpointSeconds * SECOND_MILLIS,
    snapshotMillis: snapshotHours * HOUR_MILLIS,
  };
}
