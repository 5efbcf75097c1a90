import type { OpenApiOptions } from '@holdfast/platform';

/** What the OpenAPI document of any process of the ledger says of itself. */
export const LEDGER_OPEN_API: OpenApiOptions = {
  title: 'Holdfast ledger',
  version: '1',
  description:
    'A double-entry ledger. Amounts are whole numbers of minor units, as text. An answer to a command is given when it is durable; ' +
    'a repeated Idempotency-Key is answered as it was the first time, byte for byte. Every refusal is a problem (RFC 9457) with a ' +
    'stable type, listed at `/problems`. The service asks for no authentication yet: serve it to those only who may do everything.',
  tags: [
    { name: 'ledgers', description: 'A ledger has assets and accounts of its own, and balances.' },
    { name: 'assets', description: 'What is counted, and with how many digits after the point.' },
    { name: 'accounts', description: 'Who has what: policies, status and balances.' },
    { name: 'transfers', description: 'What moves between accounts, all or nothing.' },
    { name: 'reports', description: 'What the books say: statements and the trial balance.' },
    { name: 'bulk', description: 'Many commands in one request.' },
    { name: 'commands', description: 'Did it happen?' },
    { name: 'events', description: 'What happened, as it happens.' },
  ],
};
