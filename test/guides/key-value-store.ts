import { CodedError } from '@holdfast/kernel';
import {
  BEFORE_FIRST,
  NodeFileSystem,
  readSmallFile,
  replaceFile,
  type Sequence,
  Wal,
} from '@holdfast/wal';

export type Change = { readonly set: string; readonly to: string } | { readonly delete: string };

interface Checkpoint {
  readonly logId: string;
  readonly sequence: Sequence;
  readonly timeline: string;
  readonly entries: readonly (readonly [string, string])[];
}

const CHECKPOINT_BYTES_MAX = 256 * 1024 * 1024;

/** A durable map from text to text: the log is the truth, the map is a fold of it, the checkpoint bounds the replay. */
export class KeyValueStore {
  private constructor(
    private readonly wal: Wal,
    private readonly directory: string,
    private readonly entries: Map<string, string>,
    /** Where the replay of this opening began. */
    readonly replayedAfter: Sequence,
  ) {}

  static async open(directory: string): Promise<KeyValueStore> {
    const wal = await Wal.open(directory, { create: true });
    try {
      const checkpoint = readCheckpoint(directory, wal);
      const entries = new Map(checkpoint?.entries);
      const after = checkpoint?.sequence ?? BEFORE_FIRST;
      await wal.scan(after, (_sequence, buffer, start, end) => {
        applyTo(entries, JSON.parse(buffer.toString('utf8', start, end)) as Change);
      });
      return new KeyValueStore(wal, directory, entries, after);
    } catch (error) {
      await wal.close();
      throw error;
    }
  }

  get(key: string): string | undefined {
    return this.entries.get(key);
  }

  /** All of the changes or none; resolves when they are durable. */
  async change(changes: readonly Change[]): Promise<void> {
    const { durable } = this.wal.append(
      changes.map((change) => Buffer.from(JSON.stringify(change))),
    );
    // Admitted: from here on the log holds them unless it is poisoned, and then this process ends.
    for (const change of changes) applyTo(this.entries, change);
    await durable;
  }

  /** After this, opening replays only what follows. */
  async checkpoint(): Promise<void> {
    const sequence = this.wal.lastSequence;
    const entries = [...this.entries];
    await this.wal.flush();
    const timeline = this.wal.timelineAt(sequence) ?? '';
    const checkpoint: Checkpoint = { logId: this.wal.logId, sequence, timeline, entries };
    replaceFile(
      new NodeFileSystem(),
      this.directory,
      'CHECKPOINT',
      Buffer.from(JSON.stringify(checkpoint)),
    );
    this.wal.floors.set('checkpoint', sequence);
  }

  close(): Promise<void> {
    return this.wal.close();
  }
}

function applyTo(entries: Map<string, string>, change: Change): void {
  if ('set' in change) entries.set(change.set, change.to);
  else entries.delete(change.delete);
}

/** The checkpoint, if it belongs to this history of this log; otherwise everything is replayed. */
function readCheckpoint(directory: string, wal: Wal): Checkpoint | undefined {
  const content = readSmallFile(
    new NodeFileSystem(),
    `${directory}/CHECKPOINT`,
    CHECKPOINT_BYTES_MAX,
  );
  if (content === undefined) return undefined;
  const checkpoint = JSON.parse(content.toString()) as Checkpoint;
  if (checkpoint.logId !== wal.logId) return undefined;
  if (checkpoint.sequence > wal.durableSequence) {
    throw new CodedError(
      'WAL_BEHIND_STATE',
      'the checkpoint knows more than the log: records are gone',
      {
        checkpoint: checkpoint.sequence,
        log: wal.durableSequence,
      },
    );
  }
  return wal.timelineAt(checkpoint.sequence) === checkpoint.timeline ? checkpoint : undefined;
}
