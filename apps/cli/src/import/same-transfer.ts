import type { PostTransfer, TransferResource } from '@holdfast/ledger';
import { withLineFeeds } from './row-identity.js';

/** In what a transfer of the ledger is not the one that the command asks for. Metadata may have been changed since, and tells nothing. */
export function differenceOf(command: PostTransfer, found: unknown): string | undefined {
  const { legs, effectiveAt } = (found ?? {}) as Partial<TransferResource>;
  if (legsText(legs ?? []) !== legsText(command.legs))
    return `it is ${legsText(legs ?? [])}, and the row ${legsText(command.legs)}`;
  if (command.effectiveAt === undefined || sameInstant(command.effectiveAt, effectiveAt))
    return undefined;
  return `it took effect at ${effectiveAt}, and the row at ${command.effectiveAt}`;
}

/** Whether it is the one that the command asks for, with other line ends in its texts: a version before has posted those of the file. */
export function hasOtherLineEnds(command: PostTransfer, found: unknown): boolean {
  const { metadata, reference } = (found ?? {}) as Partial<TransferResource>;
  const [there, asked] = [textsOf(metadata), textsOf(command.metadata)];
  return (
    there !== asked &&
    withLineFeeds(there) === asked &&
    reference === command.reference &&
    differenceOf(command, found) === undefined
  );
}

function textsOf(metadata: Readonly<Record<string, string>> = {}): string {
  return Object.entries(metadata)
    .map((entry) => entry.join(' '))
    .sort()
    .join('\n');
}

function legsText(legs: PostTransfer['legs'] | TransferResource['legs']): string {
  return legs.map(({ side, accountId, amount }) => `${side} ${accountId} ${amount}`).join(', ');
}

function sameInstant(one: string, other: string | undefined): boolean {
  return Date.parse(one) === Date.parse(other ?? '');
}
