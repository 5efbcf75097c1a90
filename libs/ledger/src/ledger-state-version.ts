import type { CheckpointedStateOptions } from '@holdfast/event-store';

/**
 * Names what `evolve` makes of the events: raised with every change of it that makes another state, so that a checkpoint of the old one is not gone on
 * with but made anew. Snapshots of `ledger-2` are good to begin with: it had the keys of commands in sections of their own, before the log's index was what
 * finds them, and all else in it is what this program makes of the same events.
 */
export const LEDGER_STATE = {
  stateVersion: 'ledger-3',
  takesOver: {
    'ledger-2': { leaveOut: ['command-keys', 'command-key-queue', 'command-key-queue-ends'] },
  },
} as const satisfies Pick<CheckpointedStateOptions, 'stateVersion' | 'takesOver'>;
