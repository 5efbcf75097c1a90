import { CodedError, errorMessage } from '@holdfast/kernel';

/** How a server or its stream hinders the relay. */
export type NatsTrouble =
  | 'OUTLET_NATS_UNREACHABLE'
  | 'OUTLET_NATS_REFUSED'
  | 'OUTLET_NATS_NO_JETSTREAM'
  | 'OUTLET_NATS_NO_STREAM'
  | 'OUTLET_NATS_FULL'
  | 'OUTLET_NATS_SLOW'
  | 'OUTLET_NATS_TOO_LARGE'
  | 'OUTLET_NATS_STREAM_FOREIGN'
  | 'OUTLET_NATS_STREAM_BEHIND';

export function natsTrouble(code: NatsTrouble, message: string, cause?: unknown): CodedError {
  return new CodedError(code, message, {}, { cause });
}

/** Numbers of errors of the server: https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const API_TROUBLES: Readonly<Record<number, NatsTrouble>> = {
  10039: 'OUTLET_NATS_NO_JETSTREAM',
  10076: 'OUTLET_NATS_NO_JETSTREAM',
  10059: 'OUTLET_NATS_NO_STREAM',
  10060: 'OUTLET_NATS_NO_STREAM',
  10023: 'OUTLET_NATS_FULL',
  10028: 'OUTLET_NATS_FULL',
  10047: 'OUTLET_NATS_FULL',
  10077: 'OUTLET_NATS_FULL',
  10122: 'OUTLET_NATS_FULL',
  10054: 'OUTLET_NATS_TOO_LARGE',
  // Not behind what this process knows as the last: another has published. Whoever asks again knows what.
  10071: 'OUTLET_NATS_STREAM_FOREIGN',
};

const NAMED_TROUBLES: Readonly<Record<string, NatsTrouble>> = {
  AuthorizationError: 'OUTLET_NATS_REFUSED',
  UserAuthenticationExpiredError: 'OUTLET_NATS_REFUSED',
  PermissionViolationError: 'OUTLET_NATS_REFUSED',
  JetStreamNotEnabled: 'OUTLET_NATS_NO_JETSTREAM',
  StreamNotFoundError: 'OUTLET_NATS_NO_STREAM',
  TimeoutError: 'OUTLET_NATS_SLOW',
};

/** What the client threw, by what an operator must do. */
export function classified(doing: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const code = troubleOf(error) ?? 'OUTLET_NATS_UNREACHABLE';
  return natsTrouble(code, `${doing}: ${errorMessage(error)}`, error);
}

function troubleOf(error: unknown): NatsTrouble | undefined {
  const { name, code, message, cause } = error as Partial<Error & { code: unknown }>;
  const api = typeof code === 'number' ? API_TROUBLES[code] : undefined;
  // A stream whose storage refuses says so in words only: "maximum bytes exceeded", "maximum messages exceeded", "insufficient resources".
  const full = /maximum (bytes|messages)|insufficient|no space/i.test(message ?? '');
  const tooLarge = /max_?payload|message size/i.test(message ?? '');
  const named = NAMED_TROUBLES[name ?? ''];
  const found = api ?? (full ? 'OUTLET_NATS_FULL' : tooLarge ? 'OUTLET_NATS_TOO_LARGE' : named);
  return found ?? (cause === undefined || cause === error ? undefined : troubleOf(cause));
}
