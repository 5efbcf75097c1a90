import type { CommitFigures, WalStats } from '@holdfast/wal';
import type { AnyCommand, CommandWriter } from '@holdfast/commands';
import { timeText } from '@holdfast/event-store';
import { Health, Metrics } from '@holdfast/platform';
import type { FeedConsumers } from '@holdfast/projections';
import { TIMELINES_TOLD_MAX, timelinesText } from '@holdfast/operations';

/** Of a `CommandWriter` of any model. */
export type ObservedWriter = Pick<
  CommandWriter<AnyCommand, unknown>,
  'log' | 'failure' | 'fullBecause' | 'onCommit' | 'decisions'
>;

const COMMIT_BUCKETS_SECONDS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
];
const MICROS_A_SECOND = 1_000_000;
const MILLIS_A_SECOND = 1_000;

/** What operators see of the write side. Each figure is explained in docs/metrics.md. */
export function observeWriter(
  writer: ObservedWriter,
  consumers: FeedConsumers,
  { health, metrics }: { readonly health: Health; readonly metrics: Metrics },
): void {
  health.register('log', () => {
    const { failure, fullBecause } = writer;
    return failure === undefined ? (fullBecause ?? true) : `${failure.code}: ${failure.message}`;
  });
  health.register('clock', () => {
    const { fault, wallMillis, expectedMillis } = writer.log.clockStatus();
    if (fault === undefined) return true;
    const [clockTime, expectedTime] = [wallMillis, expectedMillis].map(timeText);
    // Queries and answers that are repeated need no clock: requests may be sent.
    return {
      degraded: `${fault}: the clock says ${clockTime}, expected was ${expectedTime}; commands are refused until it is right, or accepted`,
    };
  });
  health.tell('durablePosition', () => writer.log.durablePosition);
  // Positions of two logs, or of two histories of one, say nothing about each other: whoever compares positions compares these first.
  health.tell('logId', () => writer.log.logId);
  health.tell('logTimeline', () => writer.log.newestTimeline);
  health.tell('logTimelines', () => timelinesText(writer.log.wal.timelines(TIMELINES_TOLD_MAX)));
  observeCommits(writer, metrics);
  observeLog(writer, metrics);
  observeCommands(writer, metrics);
  observeFeed(writer, consumers, metrics);
}

function observeCommits(writer: ObservedWriter, metrics: Metrics): void {
  const seconds = metrics.histogram({
    name: 'holdfast_wal_commit_seconds',
    help: 'One group commit, from the start of its write to the end of its sync.',
    labelNames: ['io'],
    buckets: COMMIT_BUCKETS_SECONDS,
  });
  const batches = metrics.histogram({
    name: 'holdfast_wal_commit_batches',
    help: 'Batches (commands) that share one group commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048],
  });
  writer.onCommit((commit: CommitFigures) => {
    seconds.observe({ io: commit.ioMode }, commit.micros / MICROS_A_SECOND);
    batches.observe(commit.batches);
  });
}

type Reading = readonly [name: string, help: string, read: () => number];

function observeLog(writer: ObservedWriter, metrics: Metrics): void {
  const { log } = writer;
  const stat = (read: (stats: WalStats) => number) => () => read(log.stats());
  const counters: readonly Reading[] = [
    ['holdfast_wal_commits_total', 'Group commits.', stat((stats) => stats.commits)],
    [
      'holdfast_wal_records_total',
      'Records (events) made durable.',
      stat((stats) => stats.records),
    ],
    ['holdfast_wal_written_bytes_total', 'Bytes of frames.', stat((stats) => stats.bytesWritten)],
    ['holdfast_wal_rotations_total', 'Segments begun.', stat((stats) => stats.rotations)],
  ];
  const gauges: readonly Reading[] = [
    [
      'holdfast_wal_queued_bytes',
      'Bytes admitted and not yet written.',
      stat((stats) => stats.queuedBytes),
    ],
    ['holdfast_wal_segments', 'Files of the log.', stat((stats) => stats.segments)],
    [
      'holdfast_wal_log_bytes',
      'Bytes of data in the log, what is archived included.',
      stat((stats) => stats.logBytes),
    ],
    ['holdfast_wal_live_bytes', 'Of it, in the live log.', stat((stats) => stats.liveBytes)],
    [
      'holdfast_wal_archived_segments',
      'Segments that are read from the archive.',
      stat((stats) => stats.archivedSegments),
    ],
    ['holdfast_wal_archive_bytes', 'What they take there.', stat((stats) => stats.archiveBytes)],
    [
      'holdfast_wal_io_asynchronous',
      '1 while commits run in the thread pool, 0 on the main thread.',
      stat((stats) => (stats.ioMode === 'asynchronous' ? 1 : 0)),
    ],
    [
      'holdfast_wal_poisoned',
      '1 when the log takes no more work.',
      () => (writer.failure === undefined ? 0 : 1),
    ],
    [
      'holdfast_clock_skew_seconds',
      'How far the wall clock is ahead (or, below zero, behind) of what is expected of it; 0 while it is believed.',
      () => skewSeconds(writer),
    ],
    ['holdfast_log_last_position', 'The last position given out.', () => log.lastPosition],
    ['holdfast_log_durable_position', 'The last durable position.', () => log.durablePosition],
    [
      'holdfast_log_durable_lag_events',
      'Events given out and not yet durable.',
      () => log.lastPosition - log.durablePosition,
    ],
  ];
  for (const reading of counters) metrics.counterOf(...reading);
  for (const reading of gauges) metrics.gaugeOf(...reading);
}

function skewSeconds({ log }: ObservedWriter): number {
  const { fault, wallMillis, expectedMillis } = log.clockStatus();
  return fault === undefined ? 0 : (wallMillis - expectedMillis) / MILLIS_A_SECOND;
}

function observeCommands(writer: ObservedWriter, metrics: Metrics): void {
  metrics.counter({
    name: 'holdfast_commands_total',
    help: 'Commands decided, by type and by what came of them.',
    labelNames: ['command', 'outcome'],
    collect() {
      this.reset();
      for (const [command, outcomes] of writer.decisions())
        for (const [outcome, count] of outcomes) this.inc({ command, outcome }, count);
    },
  });
}

function observeFeed(writer: ObservedWriter, consumers: FeedConsumers, metrics: Metrics): void {
  metrics.gaugeOf(
    'holdfast_feed_consumers',
    'Consumers connected to the feed.',
    () => consumers.list().length,
  );
  consumerGauge(
    'holdfast_feed_consumer_applied_position',
    'How far the state of each consumer has come; the least of those that share a name.',
    (applied) => applied,
  );
  consumerGauge(
    'holdfast_feed_consumer_lag_events',
    'How far the state of each consumer is behind the durable position.',
    (applied) => writer.log.durablePosition - applied,
  );

  function consumerGauge(name: string, help: string, figure: (applied: number) => number): void {
    metrics.gauge({
      name,
      help,
      labelNames: ['consumer'],
      collect() {
        // Those who have left are forgotten.
        this.reset();
        for (const [consumer, applied] of slowest(consumers))
          this.set({ consumer }, figure(applied));
      },
    });
  }
}

/** By name; of several consumers with one name, the one that has come least far. */
function slowest(consumers: FeedConsumers): ReadonlyMap<string, number> {
  const applied = new Map<string, number>();
  for (const { consumer, appliedPosition } of consumers.list())
    applied.set(consumer, Math.min(applied.get(consumer) ?? Infinity, appliedPosition));
  return applied;
}
