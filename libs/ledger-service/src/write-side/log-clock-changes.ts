import { type ClockStatus, timeText } from '@holdfast/event-store';
import type { Logger } from '@holdfast/platform';

/** One line when a clock stops being believed, and one when it is believed again. */
export function clockLogger(logger: Logger): (status: ClockStatus) => void {
  return ({ fault, wallMillis, expectedMillis }) => {
    const skewSeconds = (wallMillis - expectedMillis) / 1_000;
    const clock = {
      fault,
      clockTime: timeText(wallMillis),
      expectedTime: timeText(expectedMillis),
    };
    if (fault === undefined)
      logger.warn({ ...clock }, 'the clock is believed again: commands go on');
    else
      logger.error(
        { ...clock, skewSeconds },
        'the clock cannot be believed: commands are refused until it is right, or until an operator accepts it',
      );
  };
}
