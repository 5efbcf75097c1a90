import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';

/** What an outlet throws that will not work however often it is tried, such as an endpoint that is gone. */
export function outletDisabled(name: string, reason: string, cause?: unknown): CodedError {
  return new CodedError(
    'OUTLET_DISABLED',
    `the outlet ${name} was disabled: ${reason}`,
    { outlet: name, reason },
    { cause },
  );
}

export function outletFailed(name: string, attempts: number, cause: unknown): CodedError {
  return new CodedError(
    'OUTLET_FAILED',
    `the outlet ${name} did not take what comes next: ${errorMessage(cause)}`,
    { outlet: name, attempts, causeCode: errorCode(cause) },
    { cause },
  );
}

export function fenced(name: string): CodedError {
  return new CodedError('OUTLET_FENCED', `another process delivers to the outlet ${name}`, {
    outlet: name,
  });
}

export function moved(name: string): CodedError {
  return new CodedError('OUTLET_MOVED', `an operator has moved or held the outlet ${name}`, {
    outlet: name,
  });
}

export function unknownOutlet(name: string): CodedError {
  return new CodedError('OUTLET_UNKNOWN', `there is no outlet ${name}`, { outlet: name });
}

export function invalidName(name: string): CodedError {
  return new CodedError(
    'OUTLET_INVALID',
    `an outlet cannot be called ${JSON.stringify(name)}: 1 to 63 lower-case letters, digits and hyphens, the first a letter`,
    { outlet: name },
  );
}

export function diverged(name: string, reason: string): CodedError {
  return new CodedError(
    'OUTLET_DIVERGED',
    `the outlet ${name} was fed from another history of the log, or from another log, and waits for an operator: ${reason}`,
    { outlet: name },
  );
}

export function notDiverged(name: string): CodedError {
  return new CodedError('OUTLET_NOT_DIVERGED', `the outlet ${name} follows the log as it is`, {
    outlet: name,
  });
}

const DAMAGED = /^SQLITE_(CORRUPT|NOTADB)/;

/** What the database threw as what its caller must do. */
export function positionsError(path: string, cause: unknown): unknown {
  if (cause instanceof CodedError) return cause;
  if (DAMAGED.test(errorCode(cause) ?? ''))
    return new CodedError(
      'OUTLET_POSITIONS_DAMAGED',
      `the positions of the outlets in ${path} are damaged: ${errorMessage(cause)}`,
      { path },
      { cause },
    );
  return new CodedError(
    'OUTLET_POSITIONS_UNAVAILABLE',
    `the positions of the outlets in ${path} cannot be read or written: ${errorMessage(cause)}`,
    { path },
    { cause },
  );
}
