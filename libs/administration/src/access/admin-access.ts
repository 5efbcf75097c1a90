import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CodedError, errorMessage } from '@holdfast/kernel';

export interface AdminAccessOptions {
  /** What the admin API listens on. */
  readonly host: string;
  readonly access: AdminToken;
}

export interface AdminToken {
  /** Empty: none. */
  readonly token: string;
  /** A file whose first line is the token; empty: none. */
  readonly tokenFile: string;
}

/** What an access rule looks at. Header names in lower case. */
export interface AdminRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type AccessAnswer = 'granted' | 'unauthorized' | 'forbidden';

/** As short as a token may be: it is the only thing that stands between the network and the log. */
const TOKEN_CHARACTERS_MIN = 16;
const TOKEN = /^[\x21-\x7e]{16,512}$/;
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '::1']);

/**
 * Who may use the admin API. With a token: whoever sends it. Without one the API listens on loopback only, and answers programs of this
 * machine but no web page that a browser of this machine has open: those name a site that they come from, or a host that is not ours.
 */
export class AdminAccess {
  private constructor(private readonly digest: Buffer | undefined) {}

  /** Throws `ADMIN_TOKEN_INVALID`, and `ADMIN_TOKEN_MISSING` when there is none and the host is not loopback. */
  static of({ host, access }: AdminAccessOptions): AdminAccess {
    const secret = adminToken(access);
    if (secret === '' && isLoopback(host)) return new AdminAccess(undefined);
    if (secret === '')
      throw new CodedError(
        'ADMIN_TOKEN_MISSING',
        `the admin API is to listen on ${host}, which others can reach: it then needs HOLDFAST_ADMIN_TOKEN or HOLDFAST_ADMIN_TOKEN_FILE`,
        { host },
      );
    if (!TOKEN.test(secret))
      throw invalidToken(
        `it must have ${TOKEN_CHARACTERS_MIN} to 512 printable characters and no spaces`,
      );
    return new AdminAccess(digestOf(secret));
  }

  get wantsToken(): boolean {
    return this.digest !== undefined;
  }

  check({ headers }: AdminRequest): AccessAnswer {
    if (this.digest === undefined) return isOfThisMachine(headers) ? 'granted' : 'forbidden';
    const { authorization } = headers;
    const given = typeof authorization === 'string' ? authorization : '';
    const [, token = ''] = /^Bearer ([\x21-\x7e]+)$/i.exec(given) ?? [];
    // Digests have one length, so that not even the length of the token can be told by the time that this takes.
    return timingSafeEqual(digestOf(token), this.digest) ? 'granted' : 'unauthorized';
  }
}

/** The token itself; empty when there is none. Throws `ADMIN_TOKEN_INVALID` when its file cannot be read. */
export function adminToken({ token, tokenFile }: AdminToken): string {
  return tokenFile === '' ? token : tokenOf(tokenFile);
}

function tokenOf(path: string): string {
  try {
    // An empty file is a token of no use, and never "no token".
    return readFileSync(path, 'utf8').split('\n', 1)[0]?.trim() || ' ';
  } catch (error) {
    throw invalidToken(`its file cannot be read: ${errorMessage(error)}`);
  }
}

function invalidToken(why: string): CodedError {
  return new CodedError('ADMIN_TOKEN_INVALID', `the token of the admin API is of no use: ${why}`);
}

function isLoopback(host: string): boolean {
  return LOOPBACK_HOSTS.has(host) || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

/** A name that leads here by way of somebody's DNS is not ours, and a request of a web page tells its origin. */
function isOfThisMachine(headers: AdminRequest['headers']): boolean {
  const { host, origin } = headers;
  if (origin !== undefined || typeof host !== 'string') return false;
  const name = host.replace(/:[0-9]{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  const site = headers['sec-fetch-site'];
  const navigates = site === undefined || site === 'none' || site === 'same-origin';
  return isLoopback(name.toLowerCase()) && navigates;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
