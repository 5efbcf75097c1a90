import type { StateEvent } from '@holdfast/event-store';
import type { Logger } from '@holdfast/platform';

/** Tells the log of a service what happens to its state: what an operator must see is a warning or an error, the daily round is not. */
export function stateEventLogger(logger: Logger): (event: StateEvent) => void {
  return (event) => {
    switch (event.kind) {
      case 'rebuilding':
        logger.warn({ reason: event.reason }, 'the checkpointed state is made anew');
        return;
      case 'taken-back':
        logger.info(
          { from: event.from, to: event.to },
          'the last checkpoint was cut short; the state begins at the one before',
        );
        return;
      case 'snapshot-loaded':
        logger.info({ position: event.mark.position }, 'the state begins with a snapshot');
        return;
      case 'snapshot-refused':
        logger.warn({ path: event.path, reason: event.reason }, 'a snapshot is of no use');
        return;
      case 'checkpointed':
        logger.debug(event.report, 'the state was checkpointed');
        return;
      case 'checkpoint-failed':
        logger.error({ reason: event.reason }, 'the state could not be checkpointed');
        return;
      case 'snapshot':
        logger.info(event.report, 'a snapshot of the state was made');
        return;
      case 'snapshot-failed':
        logger.error({ reason: event.reason }, 'a snapshot of the state could not be made');
        return;
      case 'snapshot-damaged':
        logger.error(event.snapshot, 'a snapshot is damaged, and counts for nothing');
        return;
      case 'verified':
        logger.debug({ millis: event.millis }, 'the checkpointed state was read through');
        return;
      case 'verify-failed':
        logger.error({ reason: event.reason }, 'the checkpointed state could not be read through');
        return;
      case 'damaged':
        logger.error({ reason: event.reason }, 'the checkpointed state is damaged');
        return;
      case 'checkpoint-step':
    }
  };
}
