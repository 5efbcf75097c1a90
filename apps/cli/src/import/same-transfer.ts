import type { PostTransfer, TransferResource } from '@holdfast/ledger';

/** In what a transfer of the ledger is not the one that the command asks for. Metadata may have been changed since, and tells nothing. */
export function differenceOf(command: PostTransfer, found: unknown): string | undefined {
  const { legs, effectiveAt } = (found ?? {}) as Partial<TransferResource>;
  if (legsText(legs ?? []) !== legsText(command.legs))
    return `it is ${legsText(legs ?? [])}, and the row ${legsText(command.legs)}`;
  if (command.effectiveAt === undefined || sameInstant(command.effectiveAt, effectiveAt))
    return undefined;
  return `it took effect at ${effectiveAt}, and the row at ${command.effectiveAt}`;
}

function legsText(legs: PostTransfer['legs'] | TransferResource['legs']): string {
  return legs.map(({ side, accountId, amount }) => `${side} ${accountId} ${amount}`).join(', ');
}

function sameInstant(one: string, other: string | undefined): boolean {
  return Date.parse(one) === Date.parse(other ?? '');
}
