import type { Health, Logger, Metrics } from '@holdfast/platform';
import type { RecoveryNote } from '@holdfast/wal';
import type { LogScrubber } from '@holdfast/operations';

const MILLIS_A_SECOND = 1_000;

/** What an operator should hear of how the log was found. What is ordinary after a crash is no warning. */
const RECOVERY_NOTES: Readonly<
  Record<RecoveryNote['kind'], { readonly level: 'info' | 'warn'; readonly told: string }>
> = {
  'torn-tail': {
    level: 'warn',
    told: 'the log ended in a torn frame that nobody was promised; a copy of it is in quarantine',
  },
  'header-copy-repaired': {
    level: 'warn',
    told: 'one of the two headers of a segment was damaged and is written again from the other',
  },
  removed: { level: 'info', told: 'a file that an earlier process had left unfinished is removed' },
  rewritten: {
    level: 'info',
    told: 'frames that nobody was promised are kept, written again and synced',
  },
};

/** Recovery speaks once, when the service starts; its figures stay. */
export function tellRecovery(
  notes: readonly RecoveryNote[],
  logger: Logger,
  metrics: Metrics,
): void {
  const counter = metrics.counter({
    name: 'holdfast_wal_recovered_total',
    help: 'What recovery found and did when the log was opened, by kind.',
    labelNames: ['kind'],
  });
  for (const kind of Object.keys(RECOVERY_NOTES)) counter.inc({ kind }, 0);
  for (const note of notes) {
    const { level, told } = RECOVERY_NOTES[note.kind];
    counter.inc({ kind: note.kind });
    logger[level](note, told);
  }
}

export function observeScrubber(scrubber: LogScrubber, health: Health, metrics: Metrics): void {
  health.register('scrubbing', () => {
    const { damage } = scrubber;
    // What was written is refused by whoever reads it, and commands go on.
    return damage === undefined ? true : { degraded: damage };
  });
  metrics.counterOf(
    'holdfast_scrub_segments_total',
    'Finished segments read again.',
    () => scrubber.stats.segments,
  );
  metrics.counterOf(
    'holdfast_scrub_bytes_total',
    'Bytes of finished segments read again.',
    () => scrubber.stats.bytes,
  );
  metrics.counterOf(
    'holdfast_scrub_passes_total',
    'Passes over the whole log.',
    () => scrubber.stats.passes,
  );
  metrics.counterOf(
    'holdfast_scrub_problems_total',
    'Damaged segments found, each in each pass.',
    () => scrubber.stats.problems,
  );
  metrics.gaugeOf(
    'holdfast_scrub_damaged_segments',
    'Segments that were found damaged and have not been found intact since.',
    () => scrubber.stats.damagedSegments,
  );
  metrics.gaugeOf(
    'holdfast_scrub_last_pass_timestamp_seconds',
    'When the last pass came to its end, since 1970; 0 before the first.',
    () => (scrubber.stats.passEndedAtMillis ?? 0) / MILLIS_A_SECOND,
  );
}
