import { describe, expect, it } from '@jest/globals';
import type { ServiceAnswer, ServiceClient } from '../service/service-client.js';
import { Batch, KnownAccounts } from './batch.js';
import { Poster } from './poster.js';

type Item = Readonly<{ status: number; headers?: object; body: object }>;

const unasked = () => Promise.reject(new Error('is not asked'));
const made: Item = { status: 201, headers: {}, body: {} };
const replayed: Item = { ...made, headers: { 'Idempotency-Replayed': 'true' } };
const problem = (status: number, slug: string): Item => ({
  status,
  body: { type: `/problems/${slug}`, title: slug },
});

/** A ledger that answers each bulk with the next of these lists, what it was asked, and why again. */
function ledgerOf(...answers: readonly (readonly Item[])[]) {
  const asked: unknown[] = [];
  const waits: string[] = [];
  const post: ServiceClient['post'] = (_path, body, { unfinished } = {}) => {
    for (const results of answers.slice(asked.length)) {
      asked.push(body);
      const answer: ServiceAnswer = { status: 200, body: { results } };
      const why = unfinished?.(answer);
      if (why === undefined) return Promise.resolve(answer);
      waits.push(why);
    }
    return Promise.reject(new Error('no answer is accepted'));
  };
  return { asked, waits, client: { post, get: unasked, put: unasked } };
}

function batchOf(keys: readonly string[]): Batch {
  const batch = new Batch(10, new KnownAccounts());
  keys.forEach((key, index) =>
    batch.add({
      place: index + 1,
      row: { line: index + 2, fields: [key], raw: key, recordHash: '', bytes: 0, row: {} },
      mapped: {
        kind: 'transfer',
        id: key,
        key,
        accounts: [],
        transfer: { type: 'PostTransfer', ledger: 'main', legs: [] },
      },
    }),
  );
  return batch;
}

describe('a batch', () => {
  it('is sent again until nothing of it waits for a passing reason', async () => {
    const { client, asked, waits } = ledgerOf(
      [made, problem(503, 'clock-skew'), problem(503, 'not-applied')],
      [replayed, problem(409, 'idempotency-in-flight'), made],
      [replayed, made, problem(422, 'insufficient-funds')],
    );
    const posted = await new Poster(client, 'main', new KnownAccounts()).post(
      batchOf(['a', 'b', 'c']),
    );
    expect(asked).toHaveLength(3);
    expect(waits).toEqual([
      'clock-skew: clock-skew',
      'idempotency-in-flight: idempotency-in-flight',
    ]);
    expect(posted).toEqual({
      posted: 2,
      repeated: 1,
      unknown: 0,
      accountsOpened: 0,
      rejects: [
        {
          ...{ place: 3, id: 'c', reason: expect.stringMatching(/^insufficient-funds/) },
          row: expect.objectContaining({ line: 4 }),
        },
      ],
    });
  });

  it('knows the kind of an account that is forgotten for those that it opens', async () => {
    const known = new KnownAccounts(1);
    known.add('old', { asset: 'JPY', normalSide: 'debit' });
    const { client } = ledgerOf(
      [{ ...made, body: { asset: 'EUR', normalSide: 'debit' } }],
      [made, made],
    );
    const batch = new Batch(10, known);
    const accounts = ['old', 'new'].map((id) => {
      const kind = { asset: 'EUR', normalSide: 'debit' } as const;
      const command = { type: 'OpenAccount', ledger: 'main', accountId: id, ...kind } as const;
      return { id, key: id, command };
    });
    const [waiting] = batchOf(['a']).rows;
    batch.add({ ...waiting!, mapped: { ...waiting!.mapped, accounts } });
    const { rejects } = await new Poster(client, 'main', known).post(batch);
    expect(rejects).toMatchObject([{ reason: expect.stringContaining('is there in JPY') }]);
    expect([known.has('old'), known.has('new')]).toEqual([false, true]);
  });

  it('that is too large for the service says that fewer commands may go in one', async () => {
    const answer = { status: 413, body: problem(413, 'too-large').body };
    const client = { post: () => Promise.resolve(answer), get: unasked, put: unasked };
    await expect(
      new Poster(client, 'main', new KnownAccounts()).post(batchOf(['a', 'b'])),
    ).rejects.toMatchObject({
      code: 'IMPORT_REFUSED',
      message:
        'the service refuses a batch of 2 commands: too-large: too-large; name fewer with --batch',
    });
  });

  it('takes a row whose answer of an earlier run has been removed neither for posted nor for rejected', async () => {
    const { client } = ledgerOf([problem(410, 'answer-removed'), made]);
    const posted = await new Poster(client, 'main', new KnownAccounts()).post(batchOf(['a', 'b']));
    expect(posted).toEqual({ posted: 1, repeated: 0, unknown: 1, accountsOpened: 0, rejects: [] });
  });
});
