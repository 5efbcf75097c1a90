/** The RFC 6901 pointer of a place in a document: `['legs', 0, 'a/b']` is `/legs/0/a~1b`. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map(pointerStep).join('');
}

/** One more step at the end of a pointer. */
export function pointerStep(name: string | number): string {
  if (typeof name === 'number') return `/${name}`;
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
