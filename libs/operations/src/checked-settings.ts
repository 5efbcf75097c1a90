import { CodedError } from '@holdfast/kernel';
import type { RetentionPolicy } from '@holdfast/event-store';
import type { FloorLimits } from './floors/consumer-floors.js';

/** As the configuration says it. */
export interface RetentionSettings {
  readonly policy: RetentionPolicy;
  readonly livePositionsMin: number;
  readonly liveMinutesMin: number;
  readonly intervalSeconds: number;
}

/** How the log is read over and over in search of damage; 0 bytes: not at all. */
export interface ScrubSettings {
  readonly bytesPerSecond: number;
  readonly pauseSeconds: number;
}

const POLICIES: Readonly<Record<RetentionPolicy, true>> = {
  'keep-all': true,
  archive: true,
  snapshots: true,
};
/** What a timer of Node can wait for: with more it does not wait at all. */
const SECONDS_MAX = 2_147_483;

/** What goes under a setting that is no setting is gone for good. Throws `OPERATIONS_INVALID_OPTION`. */
export function assertRetention({ policy, ...settings }: RetentionSettings): void {
  if (!Object.hasOwn(POLICIES, policy))
    throw invalid('retention.policy', policy, `one of ${Object.keys(POLICIES).join(', ')}`);
  assertNumber('retention.livePositionsMin', settings.livePositionsMin, 0);
  assertNumber('retention.liveMinutesMin', settings.liveMinutesMin, 0);
  assertNumber('retention.intervalSeconds', settings.intervalSeconds, 1, SECONDS_MAX);
}

/** Throws `OPERATIONS_INVALID_OPTION`. */
export function assertFloorLimits({ behindEventsMax, behindBytesMax }: FloorLimits): void {
  assertNumber('floors.behindEventsMax', behindEventsMax, 0);
  assertNumber('floors.behindBytesMax', behindBytesMax, 0);
}

/** Throws `OPERATIONS_INVALID_OPTION`. */
export function assertScrub({ bytesPerSecond, pauseSeconds }: ScrubSettings): void {
  assertNumber('scrub.bytesPerSecond', bytesPerSecond, 0);
  assertNumber('scrub.pauseSeconds', pauseSeconds, 0, SECONDS_MAX);
}

function assertNumber(name: string, value: number, min: number, max = Infinity): void {
  if (Number.isFinite(value) && value >= min && value <= max) return;
  const upTo = max === Infinity ? ` or more` : ` to ${max}`;
  throw invalid(name, value, `a number, ${min}${upTo}`);
}

function invalid(name: string, value: unknown, allowed: string): CodedError {
  return new CodedError(
    'OPERATIONS_INVALID_OPTION',
    `${name} is ${String(value)}, and must be ${allowed}`,
    { name, value: String(value) },
  );
}
