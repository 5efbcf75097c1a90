import { IntegerVariable, TextVariable } from './variable.js';

/** How far the clock of the machine is believed, because a time that was recorded never goes away. */
export class ClockConfiguration {
  @IntegerVariable('HOLDFAST_CLOCK_SKEW_SECONDS', {
    default: 10,
    min: 1,
    max: 3_600,
    meaning:
      'How far the wall clock may be ahead of what the monotonic clock allows, or behind the last event. Beyond it commands are refused with `clock-skew` until the clock is right again.',
  })
  readonly skewSeconds!: number;

  @IntegerVariable('HOLDFAST_CLOCK_GAP_DAYS', {
    default: 7,
    min: 1,
    max: 3_650,
    meaning:
      'At a start: how far the wall clock may be after the last event. Beyond it commands are refused with `clock-skew` until an operator accepts the clock.',
  })
  readonly gapDays!: number;

  @TextVariable('HOLDFAST_CLOCK_ACCEPT', {
    default: '',
    pattern: /^(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z)?$/,
    allowed: 'a time in UTC such as 2026-11-23T10:00:00Z',
    meaning:
      'Accepts the wall clock at a start within an hour of this time, as `holdfast clock accept` does. It accepts no other start and no later jump.',
  })
  readonly accept!: string;
}
