import { CodedError, errorMessage } from '@holdfast/kernel';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { GrpcFeedTls } from './grpc-channel.js';

/** As they are configured, at either end: paths of PEM files, and a token or a file with one. Empty: none. */
export interface FeedSecurityFiles {
  readonly token: string;
  readonly tokenFile: string;
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly authorityFile: string;
}

interface FeedSecurity<Tls> {
  readonly token?: string;
  /** Left out: plain text. */
  readonly tls?: Tls;
}

const TOKEN = /^[\x21-\x7e]{16,512}$/;

/**
 * The server's key and certificate, and whose clients it serves: everybody's without an authority. Throws `FEED_SECURITY_INVALID` for what cannot be read or
 * does not fit together, because a feed that was to be encrypted must never be served in plain text.
 */
export function feedServerSecurity(
  files: FeedSecurityFiles,
): FeedSecurity<GrpcFeedTls & Required<Pick<GrpcFeedTls, 'privateKey' | 'certificateChain'>>> {
  const { token, tls } = feedClientSecurity(files);
  if (tls === undefined) return token === undefined ? {} : { token };
  const { privateKey, certificateChain } = tls;
  if (privateKey === undefined || certificateChain === undefined)
    throw invalid('the server has an authority, but no key and certificate of its own');
  return { ...(token !== undefined && { token }), tls: { ...tls, privateKey, certificateChain } };
}

/** Whom a client believes, and its own key and certificate if the server wants one. Any of the files means TLS. Throws `FEED_SECURITY_INVALID`. */
export function feedClientSecurity(files: FeedSecurityFiles): FeedSecurity<GrpcFeedTls> {
  const token = tokenOf(files);
  const privateKey = read(files.keyFile, 'key');
  const certificateChain = read(files.certificateFile, 'certificate');
  const rootCertificates = read(files.authorityFile, 'certificate of the authority');
  if ((privateKey === undefined) !== (certificateChain === undefined))
    throw invalid('a key and its certificate are given together');
  const tls = {
    ...(privateKey && { privateKey }),
    ...(certificateChain && { certificateChain }),
    ...(rootCertificates && { rootCertificates }),
  };
  assertUsable(tls);
  return { ...(token !== undefined && { token }), ...(Object.keys(tls).length > 0 && { tls }) };
}

function tokenOf({ token, tokenFile }: FeedSecurityFiles): string | undefined {
  if (tokenFile === '' && token === '') return undefined;
  // An empty file is a token of no use, and never "no token".
  const given =
    tokenFile === '' ? token : (read(tokenFile, 'token')?.toString().split('\n', 1)[0] ?? '');
  const secret = given.trim();
  if (!TOKEN.test(secret))
    throw invalid('the token must have 16 to 512 printable characters and no spaces');
  return secret;
}

function read(path: string, what: string): Buffer | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw invalid(`the file of the ${what} cannot be read: ${errorMessage(error)}`, error);
  }
}

function assertUsable({ privateKey, certificateChain, rootCertificates }: GrpcFeedTls): void {
  try {
    createSecureContext({ key: privateKey, cert: certificateChain, ca: rootCertificates });
  } catch (error) {
    throw invalid(`the key or a certificate is of no use: ${errorMessage(error)}`, error);
  }
}

function invalid(problem: string, cause?: unknown): CodedError {
  const message = `the event feed cannot be secured as configured: ${problem}`;
  return new CodedError('FEED_SECURITY_INVALID', message, {}, { cause });
}
