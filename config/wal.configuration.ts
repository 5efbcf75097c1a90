import { BytesVariable, ChoiceVariable, IntegerVariable, SwitchVariable } from './variable.js';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

/** How the log is written. Only the process that owns the log reads these. */
export class WalConfiguration {
  @ChoiceVariable('HOLDFAST_WAL_DURABILITY', {
    default: 'sync',
    meaning:
      'When an answer is sent: `sync` after fdatasync, so that nothing answered is ever lost; `interval` after the write, with a sync soon after; `none` likewise, with a sync within a second, for tests and imports.',
    choices: ['sync', 'interval', 'none'],
  })
  readonly durability!: 'sync' | 'interval' | 'none';

  @IntegerVariable('HOLDFAST_WAL_SYNC_INTERVAL_MILLIS', {
    default: 50,
    min: 1,
    max: 60_000,
    meaning:
      'For `interval`: the longest time from a write to its sync, which a power cut may lose.',
  })
  readonly syncIntervalMillis!: number;

  @BytesVariable('HOLDFAST_WAL_SEGMENT_BYTES', {
    default: 64 * MEBIBYTE,
    min: 32 * KIBIBYTE,
    max: 1024 * MEBIBYTE,
    atLeast: { times: 2, name: 'HOLDFAST_WAL_FRAME_BYTES_MAX' },
    meaning: 'The size of one file of the log; at least twice the largest batch.',
  })
  readonly segmentBytes!: number;

  @BytesVariable('HOLDFAST_WAL_FRAME_BYTES_MAX', {
    default: 32 * MEBIBYTE,
    min: 16 * KIBIBYTE,
    max: 32 * MEBIBYTE,
    meaning: 'The largest batch that one append may have.',
  })
  readonly frameBytesMax!: number;

  @BytesVariable('HOLDFAST_WAL_QUEUED_BYTES_MAX', {
    default: 32 * MEBIBYTE,
    min: 16 * KIBIBYTE,
    max: 1024 * MEBIBYTE,
    atLeast: { times: 1, name: 'HOLDFAST_WAL_FRAME_BYTES_MAX' },
    meaning:
      'How many bytes may wait to be written before commands get 429 `overloaded`; at least the largest batch.',
  })
  readonly queuedBytesMax!: number;

  @SwitchVariable('HOLDFAST_WAL_CREATE', {
    default: true,
    meaning:
      'Create the log if the directory holds none. Set it to false once the log exists: then a volume that is not mounted is an error, not an empty ledger. It applies to the archive too (`HOLDFAST_RETENTION_POLICY=archive`); once segments have left the log for an archive, no new one is created.',
  })
  readonly create!: boolean;

  @SwitchVariable('HOLDFAST_WAL_TAKEOVER', {
    default: false,
    meaning:
      'Take the log over from a process that hangs and cannot be killed. That process acknowledges nothing more.',
  })
  readonly takeover!: boolean;

  @SwitchVariable('HOLDFAST_WAL_ALLOW_NETWORK_FILE_SYSTEM', {
    default: false,
    meaning:
      'Open the log also on a network, cluster or FUSE file system (NFS, GPFS …), which is refused otherwise. Only if its locks keep a second writer out and its syncs reach a disk.',
  })
  readonly allowNetworkFileSystem!: boolean;
}
