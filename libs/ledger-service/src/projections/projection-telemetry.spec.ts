import type { Position } from '@holdfast/event-store';
import { Health, Metrics, ServiceLifecycle } from '@holdfast/platform';
import type { ProjectionStatus } from '@holdfast/projections';
import { describe, expect, it } from '@jest/globals';
import {
  SILENT_MILLIS_MAX,
  STALLED_MILLIS,
  UNHEARD_MILLIS_MAX,
  observeProjection,
} from './projection-telemetry.js';

const NOW = 1_000_000;
const WELL: ProjectionStatus = {
  name: 'ledger',
  version: 1,
  state: 'live',
  generation: 1,
  position: 24 as Position,
  head: 24 as Position,
  lagEvents: 0,
  lagSeconds: 0,
  eventsPerSecond: 0,
  appliedEvents: 24,
  stillMillis: 0,
  attempts: 0,
  quarantinedEvents: 0,
  lastError: undefined,
  unheardMillis: 0,
  ageMillis: 0,
};
const BEHIND = { head: 40 as Position, lagEvents: 16, stillMillis: STALLED_MILLIS };
const LOCKED = { code: 'READ_MODEL_UNAVAILABLE', message: 'it is locked', atMillis: NOW };

describe('the health of a projection', () => {
  it.each<[string, Partial<ProjectionStatus>, string]>([
    ['that is live', {}, 'ok'],
    ['that waits for a worker that has everything', { state: 'waiting-for-lease' }, 'ok'],
    [
      'whose thread has told nothing for long, whatever it told last',
      { ageMillis: SILENT_MILLIS_MAX + 1 },
      'hung: it has told nothing for 15 s',
    ],
    [
      'that has heard nothing of the log for long',
      { unheardMillis: UNHEARD_MILLIS_MAX + 1 },
      'it has heard nothing of the log for 30 s',
    ],
    [
      'that waits for a worker that does not move',
      { ...BEHIND, state: 'waiting-for-lease' },
      'stalled: at position 24 of 40 for 30 s',
    ],
    ['that is paused, however far it is behind', { ...BEHIND, state: 'paused' }, 'ok'],
    ['that is behind and does not move', BEHIND, 'stalled: at position 24 of 40 for 30 s'],
    [
      'whose read model is locked by another program',
      { state: 'store-unavailable', lastError: LOCKED },
      'store-unavailable: it is locked',
    ],
    [
      'that has set events aside and goes on',
      { quarantinedEvents: 3 },
      'degraded: 3 events wait in the quarantine: holdfast projections quarantine list ledger',
    ],
    ['that has ended', { state: 'failed', lastError: LOCKED }, 'failed: it is locked'],
  ])('%s', async (_, differs, told) => {
    const health = new Health(new ServiceLifecycle());
    const projection = { status: { ...WELL, ...differs }, stop: () => Promise.resolve() };
    observeProjection(projection, health, new Metrics());
    const { ready, checks } = await health.report();
    const isReady = /^(ok|degraded)/.test(told);
    expect([ready, checks]).toEqual([isReady, { projection: told }]);
  });
});
