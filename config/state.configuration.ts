import { BytesVariable, IntegerVariable } from './variable.js';

const MEBIBYTE = 1024 * 1024;

/** When the state is checkpointed, and how much of it is kept in memory. Only the process that owns the log reads these. */
export class StateConfiguration {
  @BytesVariable('HOLDFAST_CHECKPOINT_BYTES', {
    default: 64 * MEBIBYTE,
    min: MEBIBYTE,
    max: 16 * 1024 * MEBIBYTE,
    meaning:
      'A checkpoint of the state begins after this many bytes of events: about the most that a start replays.',
  })
  readonly checkpointBytes!: number;

  @IntegerVariable('HOLDFAST_CHECKPOINT_SECONDS', {
    default: 60,
    min: 1,
    max: 86_400,
    meaning: 'Or after this long, if anything was appended.',
  })
  readonly checkpointSeconds!: number;

  @IntegerVariable('HOLDFAST_SNAPSHOT_HOURS', {
    default: 24,
    min: 0,
    max: 8_760,
    meaning:
      'A snapshot of the whole state, in its own file, is made this long after the last one. 0: only on request.',
  })
  readonly snapshotHours!: number;

  @IntegerVariable('HOLDFAST_STATE_CACHE_ENTRIES', {
    default: 100_000,
    min: 1_000,
    max: 100_000_000,
    meaning: 'Entries of the state that are kept in memory after they were read from disk.',
  })
  readonly cacheEntries!: number;

  @IntegerVariable('HOLDFAST_KEY_RETENTION_DAYS', {
    default: 30,
    min: 1,
    max: 3_650,
    meaning:
      'The least time for which compaction keeps the event of an idempotency key. The key is known for as long as its event is in the log, so a repeated request gets its first answer, however late. A change applies to keys used from then on.',
  })
  readonly keyRetentionDays!: number;
}
