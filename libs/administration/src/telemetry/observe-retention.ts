import type { Metrics } from '@holdfast/platform';
import type { LogRetention } from '@holdfast/operations';

/** What operators see of retention. What keeps segments from going is told by floors. */
export function observeRetention({ totals }: LogRetention, metrics: Metrics): void {
  metrics.counterOf(
    'holdfast_retention_removed_segments_total',
    'Segments that retention has removed from the live log since the start.',
    () => totals.removedSegments,
  );
  metrics.counterOf(
    'holdfast_retention_removed_bytes_total',
    'Bytes of them.',
    () => totals.removedBytes,
  );
  metrics.counterOf(
    'holdfast_retention_failures_total',
    'Runs of retention that have failed since the start.',
    () => totals.failures,
  );
  metrics.gaugeOf(
    'holdfast_retention_last_success_seconds',
    'When retention last ran well, in seconds since 1970; 0 before the first time.',
    () => (totals.lastSuccessAtMillis ?? 0) / 1_000,
  );
}
