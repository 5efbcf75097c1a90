import type { OpenApiOptions } from '@holdfast/platform';

/** What the OpenAPI document of any process of the ledger says of itself. */
export const LEDGER_OPEN_API: OpenApiOptions = {
  title: 'Holdfast ledger',
  version: '1',
  description:
    'A double-entry ledger. Amounts are whole numbers of minor units, as text. An answer to a command is given when it is durable; ' +
    'a repeated Idempotency-Key is answered as it was the first time, byte for byte. Every refusal is a problem (RFC 9457) with a ' +
    'stable type, listed at `/problems`.',
};
