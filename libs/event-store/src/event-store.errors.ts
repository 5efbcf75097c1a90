import { CodedError, type ErrorDetails } from '@holdfast/kernel';

/** Every code with which this library fails; what the log below it throws passes through with its own code. */
export type EventStoreErrorCode =
  // Before admission: nothing was assigned
  | 'EVENT_INVALID'
  | 'EVENT_TOO_LARGE'
  | 'EVENT_WRONG_VERSION'
  | 'EVENT_CONDITION_FAILED'
  | 'EVENT_STATE_OVERLOADED'
  | 'EVENT_CLOCK_SKEW'
  // Reading
  | 'EVENT_CORRUPT'
  | 'EVENT_UNSUPPORTED_FORMAT'
  | 'EVENT_UNKNOWN_SCHEMA'
  | 'EVENT_UPCAST_FAILED'
  | 'EVENT_POSITION_UNKNOWN'
  | 'EVENT_POSITION_GONE'
  // Long work on the state
  | 'EVENT_CANCELLED'
  // Of the log as a whole: no further work until it is opened again
  | 'EVENT_STATE_BROKEN'
  | 'EVENT_STATE_DAMAGED'
  | 'EVENT_STATE_UNAVAILABLE'
  | 'EVENT_STATE_FOREIGN'
  | 'EVENT_LOG_CLOSED';

export class EventStoreError extends CodedError {
  override readonly name = 'EventStoreError';

  constructor(
    override readonly code: EventStoreErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(code, message, details, options);
  }
}

export function invalid(message: string, details: ErrorDetails = {}): EventStoreError {
  return new EventStoreError('EVENT_INVALID', message, details);
}

export function tooLarge(message: string, details: ErrorDetails, cause?: unknown): EventStoreError {
  return new EventStoreError('EVENT_TOO_LARGE', message, details, { cause });
}

export function corruptEvent(reason: string, position: number, cause?: unknown): EventStoreError {
  return new EventStoreError(
    'EVENT_CORRUPT',
    `the record at position ${position} is not a valid event: ${reason}`,
    { position },
    cause === undefined ? undefined : { cause },
  );
}

export function stateDamaged(reason: string, cause?: unknown): EventStoreError {
  return new EventStoreError(
    'EVENT_STATE_DAMAGED',
    `the checkpointed state is damaged: ${reason}; nothing more is decided, and the next start rebuilds it from a snapshot or the log`,
    { reason },
    cause === undefined ? undefined : { cause },
  );
}

/** Of the system, which says nothing of what is on the disk. */
export function stateUnavailable(reason: string, cause?: unknown): EventStoreError {
  return new EventStoreError(
    'EVENT_STATE_UNAVAILABLE',
    `the checkpointed state could not be used, and is not known to be damaged: ${reason}`,
    { reason },
    cause === undefined ? undefined : { cause },
  );
}

export function logClosed(): EventStoreError {
  return new EventStoreError('EVENT_LOG_CLOSED', 'the event log is closed');
}

export function snapshotCancelled(): EventStoreError {
  return new EventStoreError(
    'EVENT_CANCELLED',
    'the snapshot was cancelled; nothing of it is left',
  );
}

/** The index, or the state, still names an event that retention has taken out of the log. */
export function positionGone(position: number, firstPosition: number): EventStoreError {
  return new EventStoreError(
    'EVENT_POSITION_GONE',
    `the event at position ${position} was removed: the log begins at position ${firstPosition}`,
    { position, firstPosition },
  );
}
