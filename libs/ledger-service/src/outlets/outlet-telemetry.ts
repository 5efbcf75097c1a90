import type { Health, Metrics } from '@holdfast/platform';
import type { FollowedProjection, ProjectionStatus } from '@holdfast/projections';

/** What operators see of an outlet. Another system that is away makes this service no less ready. */
export function observeOutlet(outlet: FollowedProjection, health: Health, metrics: Metrics): void {
  health.tell('outletState', () => outlet.status.state);
  health.tell('outletLagEvents', () => outlet.status.lagEvents);
  const gauge = (name: string, help: string, read: (status: ProjectionStatus) => number) =>
    metrics.gauge({
      ...{ name, help, labelNames: ['outlet'] },
      collect() {
        this.set({ outlet: outlet.status.name }, read(outlet.status));
      },
    });
  gauge('holdfast_outlet_position', 'How far the outlet has come, durably.', (s) => s.position);
  gauge(
    'holdfast_outlet_lag_events',
    'Events in the log and not yet delivered.',
    (s) => s.lagEvents,
  );
  gauge(
    'holdfast_outlet_lag_seconds',
    'How old the oldest event not yet delivered may be.',
    (s) => s.lagSeconds,
  );
  gauge('holdfast_outlet_attempts', 'Failures in a row of what comes next.', (s) => s.attempts);
  gauge(
    'holdfast_outlet_delivered_events',
    'Events delivered since the start of the process.',
    (s) => s.appliedEvents,
  );
  gauge('holdfast_outlet_live', '1 while the outlet is up with the log.', (s) =>
    s.state === 'live' ? 1 : 0,
  );
}
