import { COUNTER_LIMIT, availableOf, balanceOf, countersOf, raisedBy, units } from './balance.js';
import type { AccountEntry } from './ledger-state.js';
import type { LedgerView } from './ledger-view.js';
import type { PostedBalance, TransferLeg } from './ledger.events.js';
import { type Refusal, refuse } from './verdict.js';

/**
 * What an event's legs do to one account, taken together. Rules are checked once on this net effect and never leg by leg:
 * an account that pays and is paid in one transfer needs only the difference.
 */
export interface Posting {
  readonly accountId: string;
  readonly account: AccountEntry;
  debits: bigint;
  credits: bigint;
}

export interface Leg extends TransferLeg {
  readonly expectedVersion?: number | undefined;
}

/** One posting for each account, in the order in which the legs first name it. */
export function postingsOf(
  ledger: string,
  legs: readonly Leg[],
  view: LedgerView,
): Posting[] | Refusal {
  const postings: Posting[] = [];
  for (const { accountId, side, amount, expectedVersion } of legs) {
    let posting = postingTo(accountId, postings);
    if (posting === undefined) {
      const account = view.account(ledger, accountId);
      if (account === undefined) return refuse('account-not-found', { accountId });
      posting = { accountId, account, debits: 0n, credits: 0n };
      postings.push(posting);
    }
    const actualVersion = posting.account.entryVersion;
    if (expectedVersion !== undefined && expectedVersion !== actualVersion) {
      return refuse('version-mismatch', {
        resource: 'balance',
        id: accountId,
        expectedVersion,
        actualVersion,
      });
    }
    if (side === 'debit') posting.debits += BigInt(amount);
    else posting.credits += BigInt(amount);
  }
  return postings;
}

/** At most 64 legs: walking a short array costs less than hashing into a map. */
function postingTo(accountId: string, postings: readonly Posting[]): Posting | undefined {
  for (const posting of postings) if (posting.accountId === accountId) return posting;
  return undefined;
}

/** Debits must equal credits for each asset by itself: no rate turns one asset into another. */
export function refuseUnbalanced(postings: readonly Posting[]): Refusal | undefined {
  const totals: { asset: string; debits: bigint; credits: bigint }[] = [];
  for (const { account, debits, credits } of postings) {
    const total = totals.find((known) => known.asset === account.asset);
    if (total === undefined) {
      totals.push({ asset: account.asset, debits, credits });
    } else {
      total.debits += debits;
      total.credits += credits;
    }
  }
  for (const { asset, debits, credits } of totals) {
    if (debits !== credits) {
      return refuse('legs-unbalanced', {
        asset,
        debits: String(debits),
        credits: String(credits),
      });
    }
  }
  return undefined;
}

/** Whether the account may be posted to like this at all, and then where it may not end. */
export function refusePosting(posting: Posting): Refusal | undefined {
  return refuseStatus(posting) ?? refuseOverflow(posting) ?? refuseLimits(posting);
}

function refuseStatus({ accountId, account, debits }: Posting): Refusal | undefined {
  const { status } = account;
  switch (status) {
    case 'active':
      return undefined;
    case 'debit_frozen':
      return debits > 0n
        ? refuse('account-frozen', { accountId, accountStatus: status })
        : undefined;
    case 'frozen':
      return refuse('account-frozen', { accountId, accountStatus: status });
    case 'closed':
      return refuse('account-closed', { accountId });
  }
}

function refuseOverflow({ accountId, account, debits, credits }: Posting): Refusal | undefined {
  if (overflows(account.debitsPosted, debits))
    return refuse('amount-overflow', { accountId, counter: 'debitsPosted' });
  if (overflows(account.creditsPosted, credits))
    return refuse('amount-overflow', { accountId, counter: 'creditsPosted' });
  return undefined;
}

function overflows(counter: string, added: bigint): boolean {
  if (added === 0n) return false;
  return units(counter) + added >= COUNTER_LIMIT;
}

/** Only in the direction it moves: an account that is below its floor already may always be raised. */
function refuseLimits({ accountId, account, debits, credits }: Posting): Refusal | undefined {
  const { normalSide, floor, ceiling } = account;
  const raised = raisedBy(normalSide, debits, credits);
  if (raised < 0n && floor !== null) {
    const available = availableOf(normalSide, countersOf(account));
    if (available + raised >= units(floor)) return undefined;
    return refuse('insufficient-funds', {
      accountId,
      needed: String(-raised),
      available: String(available),
      floor,
    });
  }
  if (raised > 0n && ceiling !== null) {
    const balance = balanceOf(normalSide, countersOf(account));
    if (balance + raised <= units(ceiling)) return undefined;
    return refuse('ceiling-exceeded', {
      accountId,
      added: String(raised),
      balance: String(balance),
      ceiling,
    });
  }
  return undefined;
}

/** The account's counters once the posting is made, as the event carries them. */
export function balanceAfter({ accountId, account, debits, credits }: Posting): PostedBalance {
  const { debitsPending, creditsPending } = account;
  const posted = {
    accountId,
    asset: account.asset,
    normalSide: account.normalSide,
    debitsPosted: plus(account.debitsPosted, debits),
    creditsPosted: plus(account.creditsPosted, credits),
    entryVersion: account.entryVersion + 1,
  };
  if (debitsPending === '0' && creditsPending === '0') return posted;
  return { ...posted, debitsPending, creditsPending };
}

function plus(amount: string, added: bigint): string {
  return added === 0n ? amount : String(units(amount) + added);
}
