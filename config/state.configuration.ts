import { BytesVariable, IntegerVariable } from './variable.js';

const MEBIBYTE = 1024 * 1024;

/** When the state is checkpointed, and how much of it is kept in memory. Only the process that owns the log reads these. */
export class StateConfiguration {
  @BytesVariable('HOLDFAST_CHECKPOINT_BYTES', {
    default: 64 * MEBIBYTE,
    min: MEBIBYTE,
    max: 16 * 1024 * MEBIBYTE,
    meaning:
      'A checkpoint of the state begins after so many bytes of events: the most that a start has to replay.',
  })
  readonly checkpointBytes!: number;

  @IntegerVariable('HOLDFAST_CHECKPOINT_SECONDS', {
    default: 60,
    min: 1,
    max: 86_400,
    meaning: 'Or after so long, if anything happened.',
  })
  readonly checkpointSeconds!: number;

  @IntegerVariable('HOLDFAST_SNAPSHOT_HOURS', {
    default: 24,
    min: 0,
    max: 8_760,
    meaning:
      'A snapshot of the whole state, in a file of its own, is made so long after the last. 0: only when somebody asks.',
  })
  readonly snapshotHours!: number;

  @IntegerVariable('HOLDFAST_STATE_CACHE_ENTRIES', {
    default: 100_000,
    min: 1_000,
    max: 100_000_000,
    meaning: 'Entries of the state kept in memory of those that were read from the disk.',
  })
  readonly cacheEntries!: number;

  @IntegerVariable('HOLDFAST_KEY_RETENTION_DAYS', {
    default: 30,
    min: 1,
    max: 3_650,
    meaning:
      'How long compaction keeps the event of an idempotency key at the least. The key is known for as long as its event is in the log, so the same request again is answered as it was, however late. A change holds for keys that are used from then on.',
  })
  readonly keyRetentionDays!: number;
}
