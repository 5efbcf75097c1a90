/*
 * How streams, tags and state are named. A ledger's name comes first in every stream, so that the prefix `main/` is
 * everything of ledger `main`. Ledger names, account ids and actors contain no `/`, which makes each name unambiguous.
 */

export const streams = {
  ofLedger: (ledger: string) => `${ledger}/ledger`,
  ofAsset: (ledger: string, asset: string) => `${ledger}/asset/${asset}`,
  ofAccount: (ledger: string, accountId: string) => `${ledger}/account/${accountId}`,
  ofTransfer: (ledger: string, transferId: string) => `${ledger}/transfer/${transferId}`,
  /** All refusals of a ledger in one stream; the one of a command is found by its key's tag. */
  ofRejections: (ledger: string) => `${ledger}/rejections`,
  /** All commands of a ledger that found what they asked for, and used up a key. */
  ofUnchanged: (ledger: string) => `${ledger}/unchanged`,
  /** The prefix of every stream of a ledger: the filter for its events. */
  prefixOf: (ledger: string) => `${ledger}/`,
} as const;

export const tags = {
  ofAccount: (ledger: string, accountId: string) => `account:${ledger}/${accountId}`,
} as const;
