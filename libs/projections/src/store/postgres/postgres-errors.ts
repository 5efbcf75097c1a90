import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import { damaged, unavailable } from '../../read-model.errors.js';

/**
 * Conditions of the server that pass: connection, authorization, no such database, deadlock, rights, resources, waits and time-outs, shutdown, read-only standby, I/O. By class or by code
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const UNAVAILABLE =
  /^(08...|28...|53...|57P..|58...|25006|25P03|25P04|3D000|40...|42501|55006|55P03|57014)$/;
/** Of the system, on the way to the server. */
const UNREACHABLE =
  /^(E(AI_AGAIN|NOTFOUND|PIPE|TIMEDOUT|MFILE|NFILE|PROTO)|E(CONN|HOST|NET|ADDR)[A-Z]+)$/;
/** The driver has no codes for these. */
const LOST =
  /^(Connection terminated|Connection ended|Client (has encountered a connection error|was closed)|Query read timeout|timeout exceeded when trying to connect)/;
const DAMAGED = /^XX00[12]$/;
const REMOVED = /^(3F000|42P01)$/;

/** What the database threw as what its caller must do; an error that is not the database's stays as it is. */
export function classified(place: string, error: unknown): unknown {
  const code = errorCode(error) ?? '';
  if (UNAVAILABLE.test(code) || UNREACHABLE.test(code) || LOST.test(errorMessage(error)))
    return unavailable(place, error);
  if (DAMAGED.test(code)) return damaged(place, error);
  return error;
}

/** The driver waits no longer; the server may still be at it. */
export function isUnanswered(error: unknown): boolean {
  return errorMessage(error) === 'Query read timeout';
}

/** A schema or a table that is not there. */
export function isRemoved(error: unknown): boolean {
  return REMOVED.test(codeOf(error));
}

/** Another session holds a lock for longer than the statement may wait; also when that has been classified already. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

function codeOf(error: unknown): string {
  return errorCode(error instanceof CodedError ? error.cause : error) ?? '';
}
