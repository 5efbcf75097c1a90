import type { CommandContext, Malformed } from '@holdfast/commands';
import type { CommandDefinition } from '../command-definition.js';
import type { Position } from '@holdfast/event-store';
import { assetRule, instantText, scaleRule } from '../fields.js';
import type { LedgerView } from '../ledger-view.js';
import { type Unchecked, required } from '../malformed.js';
import { streams } from '../names.js';
import { type Verdict, accept, refuse, unchanged } from '../verdict.js';

/** `PUT /assets/{code}`. Idempotent by its code; the scale of a registered asset never changes. */
export interface RegisterAsset {
  readonly type: 'RegisterAsset';
  readonly ledger: string;
  readonly asset: string;
  /** Digits after the decimal point that one minor unit stands for: 2 for EUR, 0 for JPY, 18 for ETH. */
  readonly scale: number;
}

export const registerAsset: CommandDefinition<RegisterAsset> = {
  malformation,
  decide,
  keyless: true,
};

function malformation(command: Unchecked<RegisterAsset>): Malformed | undefined {
  return required(assetRule, 'asset', command.asset) ?? required(scaleRule, 'scale', command.scale);
}

function decide(command: RegisterAsset, context: CommandContext, view: LedgerView): Verdict {
  const { ledger, asset, scale } = command;
  const registered = view.asset(ledger, asset);
  if (registered !== undefined) {
    if (registered.scale === scale) return foundRegistered(command, registered.position, view);
    return refuse('asset-scale-differs', {
      asset,
      scale: registered.scale,
      requestedScale: scale,
    });
  }
  return accept({
    stream: streams.ofAsset(ledger, asset),
    expectedVersion: 'no-stream',
    fact: {
      type: 'AssetRegistered',
      data: { ledger, asset, scale, registeredAt: instantText(context.nowMillis) },
    },
    tags: [],
  });
}

/** When it was registered stands in the event alone, which retention may have removed. */
function foundRegistered(
  { ledger, type, asset, scale }: RegisterAsset,
  position: Position,
  view: LedgerView,
): Verdict {
  const made = view.eventAt(position);
  const registeredAt = made?.type === 'AssetRegistered' ? made.data.registeredAt : null;
  return unchanged(position, { ledger, command: type, asset, scale, registeredAt });
}
