/** What a newcomer reads: every line works as it stands. */
export function welcome(url: string, dataDirectory: string): string {
  const ledger = `${url}/v1/ledgers/demo`;
  return `
Holdfast serves a ledger at ${url}, its data in ${dataDirectory}. Ctrl-C stops it; nothing is lost.

Try it:

  curl -X PUT ${ledger}
  curl -X PUT ${ledger}/assets/EUR -H 'content-type: application/json' -d '{"scale":2}'
  curl ${ledger}/accounts -H 'idempotency-key: 1' -H 'content-type: application/json' \\
    -d '{"id":"world","asset":"EUR","normalSide":"credit","floor":null}'
  curl ${ledger}/accounts -H 'idempotency-key: 2' -H 'content-type: application/json' \\
    -d '{"id":"alice","asset":"EUR","normalSide":"credit"}'
  curl ${ledger}/transfers -H 'idempotency-key: 3' -H 'content-type: application/json' \\
    -d '{"legs":[{"accountId":"world","side":"debit","amount":"1250"},{"accountId":"alice","side":"credit","amount":"1250"}]}'
  curl ${ledger}/accounts/alice/balance
  curl ${ledger}/accounts/alice/statement

Everything it can do: ${url}/docs   How it is: ${url}/health/ready and ${url}/metrics
The five-minute tour: npm run tour

`;
}
