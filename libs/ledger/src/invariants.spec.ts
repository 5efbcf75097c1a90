import type { CommandEventMetadata, Decision } from '@holdfast/commands';
import { runs } from '@holdfast/kernel/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { defined } from '@holdfast/kernel';
import fc from 'fast-check';
import { raisedBy } from './balance.js';
import { evolve } from './evolve.js';
import type { LedgerCommand } from './ledger-command.js';
import type { AccountEntry } from './ledger-state.js';
import type { RecordedLedgerEvent } from './ledger.events.js';
import {
  type Attempt,
  FrozenStateStore,
  TEST_LEDGER,
  TestBooks,
  histories,
  worldSetUp,
} from './testing/index.js';
import { expectSame } from './testing/expect-same.js';

/*
 * The ledger's promises over random histories. Each history starts from the same small world and is played once; every promise is
 * checked after every command. One that is broken is played again alone: fast-check prints its seed, and the smallest history that breaks it.
 */
const RUNS = { numRuns: runs({ short: 300, long: 3_000 }), seed: Date.now() | 0 };
const WORLD = new TestBooks().given(...worldSetUp);

type Image = Readonly<Record<string, unknown>>;

/** Before and after one attempt. */
interface Step {
  readonly books: TestBooks;
  readonly attempt: Attempt;
  readonly before: Image;
  readonly after: Image;
  readonly decision: Decision;
  /** Recorded by this attempt. */
  readonly event: RecordedLedgerEvent | undefined;
  readonly isLast: boolean;
}

type Check = (step: Step) => void;

/** Throws if the promise is broken at a step, and leaves the books as they are. */
const checks = new Map<string, Check>();
/** By promise, what was thrown first. */
const broken = new Map<string, unknown>();

/** `inTheEnd` asks whether enough has happened for the promise to mean something. */
function promise(name: string, check: Check, inTheEnd?: () => void): void {
  checks.set(name, check);
  it(name, () => {
    if (broken.has(name)) {
      fc.assert(historiesChecked(check), RUNS);
      throw broken.get(name);
    }
    inTheEnd?.();
  });
}

function checkAll(step: Step): void {
  for (const [name, check] of checks) {
    if (broken.has(name)) continue;
    try {
      check(step);
    } catch (error) {
      broken.set(name, error);
    }
  }
}

function historiesChecked(check: Check): fc.IProperty<[readonly Attempt[]]> {
  return fc.property(histories, (history) => {
    const books = new TestBooks(WORLD);
    let before = books.store.image();
    for (const [at, attempt] of history.entries()) {
      books.nowMillis += attempt.laterMillis;
      const { length } = books.events;
      const decision = books.execute(attempt.command, attempt.circumstances);
      const event = books.events.length > length ? books.last() : undefined;
      const after = books.store.image();
      check({ books, attempt, before, after, decision, event, isLast: at === history.length - 1 });
      before = after;
    }
  });
}

function accountOf(image: Image, accountId: string): AccountEntry | undefined {
  return image[`accounts/${TEST_LEDGER}/${accountId}`] as AccountEntry | undefined;
}

function accountsIn(image: Image): [string, AccountEntry][] {
  const prefix = `accounts/${TEST_LEDGER}/`;
  return Object.entries(image)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, entry]) => [key.slice(prefix.length), entry as AccountEntry]);
}

/**
 * The entries that differ. State values are frozen and replaced as a whole, so an entry that is still the same object
 * is unchanged.
 */
function changes(before: Image, after: Image): Image {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...keys].filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]),
  );
}

/** Who recorded the event, under which key. */
function keyOf({
  metadata,
}: RecordedLedgerEvent): Required<Pick<CommandEventMetadata, 'actor' | 'key' | 'bodyHash'>> {
  const { actor, key, bodyHash } = metadata as CommandEventMetadata;
  return { actor, key: defined(key, 'key'), bodyHash: defined(bodyHash, 'body hash') };
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

/** Straight from the events' legs, without a line of the code under test. */
function countersFromLegs(events: readonly RecordedLedgerEvent[]): Map<string, [bigint, bigint]> {
  const counters = new Map<string, [bigint, bigint]>();
  for (const event of events) {
    if (event.type !== 'TransferPosted') continue;
    for (const { accountId, side, amount } of event.data.legs) {
      const [debits, credits] = counters.get(accountId) ?? [0n, 0n];
      counters.set(
        accountId,
        side === 'debit' ? [debits + BigInt(amount), credits] : [debits, credits + BigInt(amount)],
      );
    }
  }
  return counters;
}

describe('in every history of commands', () => {
  beforeAll(() => fc.assert(historiesChecked(checkAll), RUNS));

  const seen = new Set<string>();
  promise(
    'much happens: every event and every refusal that a small world can bring about',
    ({ event }) => {
      if (event === undefined) return;
      seen.add(event.type);
      if (event.type === 'CommandRejected') seen.add(event.data.problem);
    },
    () =>
      expect([...seen].sort()).toEqual([
        'AccountOpened',
        'AccountPolicyChanged',
        'AccountStatusChanged',
        'AssetRegistered',
        'CommandRejected',
        'CommandUnchanged',
        'MetadataChanged',
        'TransferPosted',
        'account-closed',
        'account-exists',
        'account-frozen',
        'account-not-empty',
        'account-not-found',
        'asset-not-found',
        'asset-scale-differs',
        'ceiling-exceeded',
        'effective-in-future',
        'insufficient-funds',
        'legs-unbalanced',
        'reference-exists',
        'transfer-not-found',
        'version-mismatch',
      ]),
  );

  promise(
    'debits equal credits for each asset, per event and in total',
    ({ after, books, event }) => {
      if (event?.type !== 'TransferPosted') return;
      const assetOf = (accountId: string) => books.view.account(TEST_LEDGER, accountId)?.asset;
      for (const asset of ['EUR', 'USD']) {
        const legs = event.data.legs.filter(({ accountId }) => assetOf(accountId) === asset);
        const ofSide = (side: string) =>
          sum(legs.filter((leg) => leg.side === side).map(({ amount }) => BigInt(amount)));
        expectSame(ofSide('debit'), ofSide('credit'));

        const accounts = accountsIn(after)
          .map(([, account]) => account)
          .filter((account) => account.asset === asset);
        expectSame(
          sum(accounts.map(({ debitsPosted }) => BigInt(debitsPosted))),
          sum(accounts.map(({ creditsPosted }) => BigInt(creditsPosted))),
        );
      }
    },
  );

  promise('counters in the state and in events are the sums of the legs', ({ books, event }) => {
    if (event?.type !== 'TransferPosted') return;
    const counters = countersFromLegs(books.events as RecordedLedgerEvent[]);
    for (const balance of event.data.balances) {
      const summed = counters.get(balance.accountId);
      expectSame([BigInt(balance.debitsPosted), BigInt(balance.creditsPosted)], summed);
      const entry = books.view.account(TEST_LEDGER, balance.accountId);
      expect(entry).toMatchObject({
        debitsPosted: balance.debitsPosted,
        creditsPosted: balance.creditsPosted,
        debitsPending: '0',
        creditsPending: '0',
      });
    }
  });

  promise(
    'no account is lowered below its floor or raised above its ceiling',
    ({ before, event }) => {
      if (event?.type !== 'TransferPosted') return;
      for (const balance of event.data.balances) {
        const account = accountOf(before, balance.accountId)!;
        const balanceOf = ({ debitsPosted, creditsPosted }: typeof balance | AccountEntry) =>
          raisedBy(account.normalSide, BigInt(debitsPosted), BigInt(creditsPosted));
        const [earlier, later] = [balanceOf(account), balanceOf(balance)];
        if (later < earlier && account.floor !== null)
          expect(later).toBeGreaterThanOrEqual(BigInt(account.floor));
        if (later > earlier && account.ceiling !== null)
          expect(later).toBeLessThanOrEqual(BigInt(account.ceiling));
      }
    },
  );

  promise(
    'nothing is posted to a frozen or closed account, nor debited from a debit-frozen one',
    ({ before, event }) => {
      if (event?.type !== 'TransferPosted') return;
      for (const { accountId, side } of event.data.legs) {
        const { status } = accountOf(before, accountId)!;
        expectSame(status === 'active' || (status === 'debit_frozen' && side === 'credit'), true);
      }
    },
  );

  promise('a closed account has a zero balance and never changes again', ({ before, books }) => {
    for (const [accountId, account] of accountsIn(before)) {
      if (account.status !== 'closed') continue;
      expectSame(account.debitsPosted, account.creditsPosted);
      expectSame(books.view.account(TEST_LEDGER, accountId), account);
    }
  });

  promise(
    'an entry version rises by one for each event that touches the balance, a version for each other',
    ({ after, before, event }) => {
      const touched = event?.type === 'TransferPosted' ? event.data.legs : [];
      for (const [accountId, { entryVersion, version }] of accountsIn(after)) {
        const earlier = accountOf(before, accountId);
        const posted = touched.some((leg) => leg.accountId === accountId);
        const changed = event?.stream === `${TEST_LEDGER}/account/${accountId}`;
        expectSame(entryVersion, (earlier?.entryVersion ?? 0) + Number(posted));
        expectSame(version, (earlier?.version ?? 0) + Number(changed));
      }
    },
  );

  promise(
    'a reference is used by one transfer, and by no rejection',
    ({ after, books, before, event }) => {
      const used = (books.events as RecordedLedgerEvent[]).flatMap(({ type, data }) =>
        type === 'TransferPosted' && data.reference !== undefined ? [data.reference] : [],
      );
      expectSame(new Set(used).size, used.length);
      if (event?.type === 'TransferPosted') return;
      const changed = Object.keys(changes(before, after));
      expectSame(
        changed.filter((key) => key.startsWith('references/')),
        [],
      );
    },
  );

  promise(
    'a refused command changes nothing; its event alone uses its key up',
    ({ after, before, decision, event, attempt }) => {
      if (decision.kind === 'accepted' && attempt.circumstances.dryRun !== true) return;
      const recorded = decision.kind === 'refused' && decision.appends !== undefined;
      expectSame(event?.type, recorded ? 'CommandRejected' : undefined);
      expectSame(changes(before, after), {});
    },
  );

  promise(
    'a decided command is recognised as long as its event is there: same request, same event; other request, refused',
    ({ after, books, attempt: { command, circumstances }, event }) => {
      if (event === undefined) return;
      const { actor, key, bodyHash } = keyOf(event);
      const again = { ...circumstances, key };
      const other = { ...again, bodyHash: 'another' };
      expectSame(
        [
          books.execute(command, again),
          books.execute(command, other),
          books.decisions.recognise({ scope: TEST_LEDGER, actor, key }, bodyHash),
        ],
        [
          { kind: 'replayed', event },
          {
            kind: 'refused',
            rejection: { problem: 'idempotency-key-reused', parameters: { key } },
            appends: undefined,
          },
          { kind: 'replay', event },
        ],
      );
      expectSame(changes(after, books.store.image()), {});
    },
  );

  promise(
    'deciding changes no state and says the same again',
    ({ after, books, attempt: { command, circumstances } }) => {
      const context = books.context(command, circumstances);
      const first = books.decide(command, context);
      expectSame(books.decide(structuredClone(command), context), first);
      expectSame(changes(after, books.store.image()), {});
    },
  );

  promise('the state is a function of the events: replaying them gives it again', (step) => {
    if (!step.isLast) return;
    const replayed = new FrozenStateStore();
    for (const event of step.books.events) evolve(event, replayed);
    expectSame(replayed.image(), step.after);
  });

  promise(
    'events are plain JSON, fit the limits of the log, and are found by their accounts and their key',
    ({ event, decision }) => {
      if (event === undefined) return;
      if (decision.kind !== 'accepted' && decision.kind !== 'refused')
        throw new Error('only these record');
      const [made] = decision.appends?.[0]?.events ?? [];
      expectSame(made?.data, event.data);
      expectSame(made?.metadata, event.metadata);
      const { actor, key } = keyOf(event);
      const touched =
        event.type === 'TransferPosted'
          ? event.data.legs.map(({ accountId }) => accountId)
          : 'account' in event.data
            ? [event.data.account.accountId]
            : [];
      expectSame(event.tags, [
        ...Array.from(new Set(touched), (accountId) => `account:${TEST_LEDGER}/${accountId}`),
        `key:${TEST_LEDGER}/${actor}/${key}`,
      ]);
    },
  );

  const outcomes = { accepted: 0, refused: 0 };
  promise(
    'accepts exactly the transfers that a plain reading of the rules accepts',
    ({ books, before, decision, attempt: { command } }) => {
      if (command.type !== 'PostTransfer') return;
      if (decision.kind !== 'accepted' && decision.kind !== 'refused') return;
      if (decision.kind === 'refused' && decision.appends === undefined) return;
      outcomes[decision.kind] += 1;
      const rules = rulesBroken(command, before, books.nowMillis);
      expectSame([decision.kind, rules], [rules.length === 0 ? 'accepted' : 'refused', rules]);
      if (decision.kind === 'refused') expect(rules).toContain(decision.rejection.problem);
    },
    // The world is neither so strict nor so lax that the comparison says nothing.
    () => expect(Math.min(outcomes.accepted, outcomes.refused)).toBeGreaterThan(RUNS.numRuns),
  );
});

/** Every rule that the transfer breaks, in no order, each by itself and as literally as the documentation states it. */
function rulesBroken(
  { legs, reference, effectiveAt }: Extract<LedgerCommand, { type: 'PostTransfer' }>,
  image: Image,
  nowMillis: number,
): string[] {
  const find = (accountId: string) => accountOf(image, accountId);
  const broken = new Set<string>();
  if (legs.some(({ accountId }) => find(accountId) === undefined)) broken.add('account-not-found');
  if (reference !== undefined && `references/${TEST_LEDGER}/${reference}` in image)
    broken.add('reference-exists');
  if (effectiveAt !== undefined && Date.parse(effectiveAt) > nowMillis)
    broken.add('effective-in-future');
  const signed = ({ side, amount }: (typeof legs)[number]) =>
    side === 'debit' ? BigInt(amount) : -BigInt(amount);
  for (const asset of ['EUR', 'USD']) {
    const own = legs.filter(({ accountId }) => find(accountId)?.asset === asset);
    if (sum(own.map(signed)) !== 0n) broken.add('legs-unbalanced');
  }
  for (const accountId of new Set(legs.map((leg) => leg.accountId))) {
    const account = find(accountId);
    if (account === undefined) continue;
    const own = legs.filter((leg) => leg.accountId === accountId);
    if (
      own.some(
        ({ expectedVersion = account.entryVersion }) => expectedVersion !== account.entryVersion,
      )
    )
      broken.add('version-mismatch');
    if (account.status === 'closed') broken.add('account-closed');
    if (account.status === 'frozen') broken.add('account-frozen');
    if (account.status === 'debit_frozen' && own.some(({ side }) => side === 'debit'))
      broken.add('account-frozen');
    const sign = account.normalSide === 'debit' ? 1n : -1n;
    const earlier = sign * (BigInt(account.debitsPosted) - BigInt(account.creditsPosted));
    const later = earlier + sign * sum(own.map(signed));
    if (later < earlier && account.floor !== null && later < BigInt(account.floor))
      broken.add('insufficient-funds');
    if (later > earlier && account.ceiling !== null && later > BigInt(account.ceiling))
      broken.add('ceiling-exceeded');
  }
  return [...broken];
}
