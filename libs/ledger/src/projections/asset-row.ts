import type { Position, RecordedEvent } from '@holdfast/event-store';
import { ledgerEventOf } from '../recorded-event.js';
import { epochMillis } from './epoch-millis.js';

/** Inserted once by `ledger`, `asset`, never changed. */
export interface AssetRow {
  readonly ledger: string;
  readonly asset: string;
  readonly scale: number;
  readonly registeredAtMillis: number;
  readonly position: Position;
}

export const ASSET_ROW_EVENTS = ['AssetRegistered'] as const;

export function assetRowOf(recorded: RecordedEvent): AssetRow | undefined {
  const event = ledgerEventOf(recorded);
  if (event.type !== 'AssetRegistered') return undefined;
  const { ledger, asset, scale, registeredAt } = event.data;
  const registeredAtMillis = epochMillis(registeredAt);
  return { ledger, asset, scale, registeredAtMillis, position: event.position };
}
