import {
  type CheckpointedStateOptions,
  type ClockBounds,
  type ReplayProgress,
  Upcasters,
  WalEventLog,
  type WalEventLogOptions,
} from '@holdfast/event-store';
import type { MonotonicClock } from '@holdfast/kernel';
import type { AnyCommand, CommandModel } from '../model/command-model.js';

type WalOptions = NonNullable<WalEventLogOptions['wal']>;
export type CommitFigures = Parameters<NonNullable<WalOptions['onCommit']>>[0];
export type CommitListener = (commit: CommitFigures) => void;

export interface CommandLogOptions {
  /** `onCommit` belongs to the writer: use `CommandWriter.onCommit`. */
  readonly wal?: Omit<WalOptions, 'onCommit'>;
  /** Where the state is checkpointed. Default: in memory, rebuilt from the whole log at each start. */
  readonly state?: Omit<CheckpointedStateOptions, 'stateVersion' | 'takesOver'> | undefined;
  readonly clock?: MonotonicClock;
  /** Beyond these bounds commands are refused with `EVENT_CLOCK_SKEW`. Default: every clock is believed. */
  readonly clockBounds?: ClockBounds;
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/** The open, replayed log of a model. */
export interface CommandLog {
  readonly events: WalEventLog;
  /** Called for each group commit. */
  readonly commitListeners: Set<CommitListener>;
  /** Answers do not wait for a sync, and nothing else requests one. */
  readonly isUnsynced: boolean;
}

/**
 * Opens the log, replays it and hands it to its writer, which releases it from then on.
 *
 * @throws what `WalEventLog.open` throws, before anything was changed.
 * @throws what the model's `evolve` and the making of the writer throw; the log is then released.
 */
export async function openCommandLog<Command extends AnyCommand, Answer, View, Writer>(
  directory: string,
  model: CommandModel<Command, Answer, View>,
  { wal, state, clock, clockBounds, onReplayProgress }: CommandLogOptions,
  writerOf: (log: CommandLog) => Writer,
): Promise<Writer> {
  const { stateVersion, takesOver } = model;
  const commitListeners = new Set<CommitListener>();
  const events = await WalEventLog.open(directory, {
    evolve: (event, store) => model.evolve(event, store),
    upcasters: new Upcasters(model.schemas),
    wal: { ...wal, onCommit: (commit) => commitListeners.forEach((tell) => tell(commit)) },
    ...(state && { state: { ...state, stateVersion, ...(takesOver && { takesOver }) } }),
    ...(clock && { clock }),
    clockBounds,
    ...(onReplayProgress && { onReplayProgress }),
  });
  try {
    return writerOf({ events, commitListeners, isUnsynced: wal?.durability === 'none' });
  } catch (error) {
    await events.close();
    throw error;
  }
}
