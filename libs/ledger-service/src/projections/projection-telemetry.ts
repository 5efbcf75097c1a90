import { type Health, type HealthResult, type Metrics } from '@holdfast/platform';
import type { ProjectionState, ProjectionStatus } from '@holdfast/projections';
import type { FollowedProjection } from '@holdfast/projections';

/** A projection that has something to apply and has not moved for so long needs an operator. */
export const STALLED_MILLIS = 30_000;
/** A projection in a thread of its own tells its status several times a second: one that has not for so long hangs. */
export const SILENT_MILLIS_MAX = 15_000;
/** A feed says something every second, and a spare looks every two. */
export const UNHEARD_MILLIS_MAX = 30_000;
/** A worker that waits for another one's lease is well: it is the spare, as long as the other one moves. */
const WELL: ReadonlySet<ProjectionState> = new Set(['live', 'catching-up', 'waiting-for-lease']);

/** What operators see of a projection. */
export function observeProjection(
  projection: FollowedProjection,
  health: Health,
  metrics: Metrics,
): void {
  health.register('projection', () => healthOf(projection.status));
  health.tell('projectionState', () => projection.status.state);
  health.tell('projectionLagEvents', () => projection.status.lagEvents);
  const figure = (read: (status: ProjectionStatus) => number) => () => read(projection.status);
  metrics.gaugeOf(
    'holdfast_projection_position',
    'How far the read model has come, durably.',
    figure(({ position }) => position),
  );
  metrics.gaugeOf(
    'holdfast_projection_head_position',
    "The log's durable position when last heard of.",
    figure(({ head }) => head),
  );
  metrics.gaugeOf(
    'holdfast_projection_lag_events',
    'Events in the log and not yet in the read model.',
    figure(({ lagEvents }) => lagEvents),
  );
  metrics.gaugeOf(
    'holdfast_projection_lag_seconds',
    'How old the oldest event not yet in the read model may be.',
    figure(({ lagSeconds }) => lagSeconds),
  );
  metrics.gaugeOf(
    'holdfast_projection_unheard_seconds',
    'How long ago the projection was last heard to have heard of its log: it rises when either hangs.',
    figure(({ unheardMillis }) => unheardMillis / 1_000),
  );
  metrics.gaugeOf(
    'holdfast_projection_events_per_second',
    'Events applied in each of the last seconds.',
    figure(({ eventsPerSecond }) => eventsPerSecond),
  );
  metrics.counterOf(
    'holdfast_projection_applied_events_total',
    'Events applied since the start of the process.',
    figure(({ appliedEvents }) => appliedEvents),
  );
  metrics.gaugeOf(
    'holdfast_projection_quarantined_events',
    'Events that wait in the quarantine: the read model lacks them.',
    figure(({ quarantinedEvents }) => quarantinedEvents),
  );
  metrics.gaugeOf(
    'holdfast_projection_live',
    '1 while the read model is up with the log.',
    figure(({ state }) => (state === 'live' ? 1 : 0)),
  );
}

/** The longest thing wrong first: of a status that is old, nothing else can be believed. */
function healthOf(status: ProjectionStatus): HealthResult {
  const { state, position, head, lagEvents, stillMillis, lastError } = status;
  if (status.ageMillis > SILENT_MILLIS_MAX)
    return `hung: it has told nothing for ${secondsOf(status.ageMillis)} s`;
  // On purpose: how far it is behind is told as a figure.
  if (state === 'paused') return true;
  if (!WELL.has(state)) return `${state}${lastError ? `: ${lastError.message}` : ''}`;
  if (status.unheardMillis > UNHEARD_MILLIS_MAX)
    return `it has heard nothing of the log for ${secondsOf(status.unheardMillis)} s`;
  if (lagEvents === 0 || stillMillis < STALLED_MILLIS) return quarantineOf(status);
  return `stalled: at position ${position} of ${head} for ${secondsOf(stillMillis)} s`;
}

function quarantineOf({ name, quarantinedEvents }: ProjectionStatus): HealthResult {
  if (quarantinedEvents === 0) return true;
  return {
    degraded: `${quarantinedEvents} events wait in the quarantine: holdfast projections quarantine list ${name}`,
  };
}

function secondsOf(millis: number): number {
  return Math.round(millis / 1_000);
}
