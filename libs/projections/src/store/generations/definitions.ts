/** A statement as it is compared: comments and white space do not count. */
export function withoutSpace(sql: string): string {
  return sql
    .replace(/--.*|\/\*[^]*?\*\//g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/ ?([(),]) ?/g, '$1')
    .trim();
}
