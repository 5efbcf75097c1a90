import { type CodedError } from '@holdfast/kernel';
import { Metadata } from '@grpc/grpc-js';
import { createHash, timingSafeEqual } from 'node:crypto';
import { feedRefused } from '../feed.errors.js';

const KEY = 'authorization';

/** Who may call the feed: whoever sends the token, or everybody when there is none. */
export class FeedToken {
  private readonly digest: Buffer | undefined;

  constructor(token?: string) {
    this.digest = token === undefined ? undefined : digestOf(token);
  }

  /** Why a call is turned away: `FEED_REFUSED`. */
  refusalOf(metadata: Metadata): CodedError | undefined {
    if (this.digest === undefined) return undefined;
    const given = metadata.get(KEY);
    const [, token = ''] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(String(given[0] ?? '')) ?? [];
    // Digests have one length, so that not even the length of the token can be told by the time that this takes.
    if (given.length === 1 && timingSafeEqual(digestOf(token), this.digest)) return undefined;
    const problem = given.length === 0 ? 'it wants a token' : 'the token is not the right one';
    return feedRefused('the log', problem);
  }
}

/** What a call carries to be let in. */
export function tokenMetadata(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set(KEY, `Bearer ${token}`);
  return metadata;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
