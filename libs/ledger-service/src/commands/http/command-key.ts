import { keySpelledAs, keySpellings } from '@holdfast/commands';
import type { LedgerWriter } from '../../write-side/ledger-writer.js';

/** Whose key it is, and as which text it arrived, in a header field or an item of a bulk. */
export interface SpelledKey {
  readonly ledger: string;
  readonly actor: string;
  readonly spelledKey: string;
}

/**
 * The key that a request is decided under: the one that its text stands for, unless a log of an earlier release holds the command under another spelling.
 * Where there are several, the one that was used for this very request.
 */
export function commandKeyOf(
  writer: Pick<LedgerWriter, 'recognise' | 'mayHoldQuotedKeys'>,
  { ledger, actor, spelledKey }: SpelledKey,
  bodyHash: string,
): string {
  const itself = keySpelledAs(spelledKey);
  // Nearly always so. Each further look into the index would take a tenth of what a decision takes.
  if (!writer.mayHoldQuotedKeys(ledger, actor)) return itself;
  const spellings = keySpellings(spelledKey);
  const kinds = spellings.map((key) => writer.recognise({ scope: ledger, actor, key }, bodyHash));
  const replayed = kinds.indexOf('replay');
  const used = replayed === -1 ? kinds.findIndex((kind) => kind !== 'new') : replayed;
  return spellings[used] ?? itself;
}
