/*
 * A query asks in steps, and does not know who answers: SQLite answers each step at once, PostgreSQL after a while. So each query is written once, in SQL that both understand; what they differ in is
 * `postgres/postgres-text.ts`.
 */

/** One statement, with a `?` for each value. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** A query: a generator that is given the rows of each statement that it yields. */
export type Asking<Result> = Generator<Statement, Result, readonly unknown[]>;

/** A stored amount: bytes in SQLite, digits in PostgreSQL. */
export type StoredAmount = Buffer | string;

export function* rowsOf<Row>(sql: string, values: Statement['values']): Asking<readonly Row[]> {
  return (yield { sql, values }) as readonly Row[];
}

/** For a statement that finds one row or none. */
export function* rowOf<Row>(sql: string, values: Statement['values']): Asking<Row | undefined> {
  const [row] = yield* rowsOf<Row>(sql, values);
  return row;
}

/** Throws what the query throws, and what `answer` does. */
export function answeredNow<Result>(
  query: Asking<Result>,
  answer: (statement: Statement) => readonly unknown[],
): Result {
  let step = query.next();
  while (step.done !== true) step = query.next(answer(step.value));
  return step.value;
}

/** Throws what the query throws, and what `answer` does. */
export async function answeredLater<Result>(
  query: Asking<Result>,
  answer: (statement: Statement) => Promise<readonly unknown[]>,
): Promise<Result> {
  let step = query.next();
  while (step.done !== true) step = query.next(await answer(step.value));
  return step.value;
}
