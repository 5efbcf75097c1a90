import type { StateStatus, WalEventLog } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import type { Health, Metrics } from '@holdfast/platform';

/** What operators see of the checkpointed state; nothing when there is none. */
export function observeState(
  log: Pick<WalEventLog, 'stateStatus'>,
  health: Health,
  metrics: Metrics,
): void {
  if (log.stateStatus() === undefined) return;
  health.register('state', () => {
    const { verification } = statusOf();
    // The process is about to end; the next start makes the state anew.
    return verification.state === 'damaged' ? 'the checkpointed state is damaged' : true;
  });
  const figure = (read: (status: StateStatus) => number) => () => read(statusOf());
  metrics.gaugeOf(
    'holdfast_state_checkpoint_position',
    'The position of the last checkpoint: a start replays what comes after.',
    figure(({ checkpoint }) => checkpoint?.position ?? 0),
  );
  metrics.gaugeOf(
    'holdfast_state_checkpoint_seconds',
    'When the last checkpoint was made, in seconds since 1970; 0 before the first.',
    figure(({ checkpoint }) => (checkpoint?.atMillis ?? 0) / 1_000),
  );
  metrics.counterOf(
    'holdfast_state_checkpoints_total',
    'Checkpoints made since the start.',
    figure(({ checkpoints }) => checkpoints),
  );
  metrics.counterOf(
    'holdfast_state_failed_checkpoints_total',
    'Checkpoints that could not be made since the start.',
    figure(({ failedCheckpoints }) => failedCheckpoints),
  );
  metrics.gaugeOf(
    'holdfast_state_entries',
    'Entries of the state at the last checkpoint.',
    figure(({ checkpoint }) => checkpoint?.entries ?? 0),
  );
  metrics.gaugeOf(
    'holdfast_state_overlay_entries',
    'Entries of the state that are in memory only.',
    figure(({ overlayEntries }) => overlayEntries),
  );
  metrics.gaugeOf(
    'holdfast_state_verified',
    '1 once the checkpointed state has been read through since the start.',
    figure(({ verification }) => (verification.state === 'good' ? 1 : 0)),
  );
  metrics.counterOf(
    'holdfast_state_given_up_readings_total',
    'How often what reads the state through was given up, because checkpoints could not wait for it.',
    figure(({ verification }) => verification.givenUp),
  );
  metrics.gaugeOf(
    'holdfast_state_snapshot_position',
    'The position of the newest snapshot; 0 when there is none.',
    figure(({ snapshots }) => snapshots[0]?.position ?? 0),
  );
  metrics.gaugeOf(
    'holdfast_state_damaged_snapshots',
    'Snapshots that were found damaged, at the start or when they were read again, or that are gone.',
    figure(({ damagedSnapshots }) => damagedSnapshots.length),
  );

  function statusOf(): StateStatus {
    return defined(log.stateStatus(), 'the status of checkpointed state');
  }
}
