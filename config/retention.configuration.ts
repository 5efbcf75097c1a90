import { ChoiceVariable, IntegerVariable } from './variable.js';

/** What becomes of old events. Only the process that owns the log reads these. */
export class RetentionConfiguration {
  @ChoiceVariable('HOLDFAST_RETENTION_POLICY', {
    default: 'keep-all',
    meaning:
      'What may leave the live log: `keep-all` nothing; `archive` archived segments, which are read from the archive then; `snapshots` everything below the older of two verified snapshots of the state, **for good**. `holdfast retention` shows beforehand what would go.',
    choices: ['keep-all', 'archive', 'snapshots'],
  })
  readonly policy!: 'keep-all' | 'archive' | 'snapshots';

  @IntegerVariable('HOLDFAST_RETENTION_LIVE_EVENTS_MIN', {
    default: 100_000,
    min: 0,
    max: 1_000_000_000_000,
    meaning: 'The number of newest events that stay in the live log whatever the policy says.',
  })
  readonly livePositionsMin!: number;

  @IntegerVariable('HOLDFAST_RETENTION_LIVE_MINUTES_MIN', {
    default: 1_440,
    min: 0,
    max: 52_560_000,
    meaning: 'Events younger than this stay in the live log whatever the policy says.',
  })
  readonly liveMinutesMin!: number;

  @IntegerVariable('HOLDFAST_RETENTION_INTERVAL_SECONDS', {
    default: 300,
    min: 1,
    max: 86_400,
    meaning: 'How often the policy is applied. With `keep-all` never.',
  })
  readonly intervalSeconds!: number;
}
