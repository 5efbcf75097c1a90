/** Few: the queries have so many texts. */
const texts = new Map<string, string>();

/** A query's statement as PostgreSQL takes it: its planner needs no hints, and its values have numbers. */
export function postgresText(sql: string): string {
  const known = texts.get(sql);
  if (known !== undefined) return known;
  let values = 0;
  const text = sql
    .replaceAll(/ INDEXED BY \w+/g, '')
    .replaceAll('CROSS JOIN', 'JOIN')
    .replaceAll('?', () => `$${(values += 1)}`);
  texts.set(sql, text);
  return text;
}

/**
 * A value as PostgreSQL takes it, which has no text with NUL. The grammar lets none into the log; a cursor that somebody made up may name one. No name holds a control character, so the next one
 * stands at the same place among all names.
 */
export function postgresValue(value: string | number): string | number {
  return typeof value === 'string' ? value.replaceAll('\0', '\u0001') : value;
}
