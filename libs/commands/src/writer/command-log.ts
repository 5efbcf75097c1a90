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
  /** `onCommit` is the writer's own: see there. */
  readonly wal?: Omit<WalOptions, 'onCommit'>;
  /** Where the state is checkpointed; in memory, and made of the whole log at each start, when left out. */
  readonly state?: Omit<CheckpointedStateOptions, 'stateVersion' | 'takesOver'> | undefined;
  readonly clock?: MonotonicClock;
  /** Beyond these commands are refused with `EVENT_CLOCK_SKEW`. Every clock is believed when left out. */
  readonly clockBounds?: ClockBounds;
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
}

/** The log of a model, open and replayed. */
export interface CommandLog {
  readonly events: WalEventLog;
  /** Told of each group commit. */
  readonly commitListeners: Set<CommitListener>;
  /** Answers do not wait for a sync, and nobody else asks for one. */
  readonly isUnsynced: boolean;
}

/**
 * Opens the log, replays it and gives it to its writer, which releases it from then on. Throws what `WalEventLog.open` throws, before anything was changed, what the model's
 * `evolve` throws, and what making the writer throws: then the log is released.
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
