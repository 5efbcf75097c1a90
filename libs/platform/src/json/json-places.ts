import { jsonPointer } from './json-pointer.js';

/* Where something is in a text that is valid JSON. Slow, so only for a text that is about to be refused. */

interface Place {
  readonly path: readonly (string | number)[];
  readonly isName: boolean;
  /** Set for the name of a member that its object has already had. */
  readonly repeated: boolean;
}

/** The pointer of the first member whose name its object has already had. The text has one. */
export function repeatedName(text: string): string {
  for (const { path, repeated } of places(text)) if (repeated) return jsonPointer(path);
  return '';
}

/** The pointer of the number that is the so many-th of the text, counted from 1. */
export function numberAt(text: string, ordinal: number): string {
  let numbers = 0;
  for (const { path, isName } of places(text))
    if (!isName && ++numbers === ordinal) return jsonPointer(path);
  return '';
}

/** Every name and every number, in their order. The path is the walk's own and changes with its next step. */
function* places(text: string): Generator<Place> {
  /** For each open container: the names seen in an object, or undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  const path: (string | number)[] = [];
  for (const [token, string] of text.matchAll(
    /("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[-\d][-+.\deE]*|[{}[\],]/g,
  )) {
    const names = open.at(-1);
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
      path.push(0);
    } else if (token === '}' || token === ']') {
      open.pop();
      path.pop();
    } else if (token === ',' && names === undefined) {
      path[path.length - 1] = Number(path.at(-1)) + 1;
    } else if (string !== undefined && names !== undefined) {
      const name = JSON.parse(string) as string;
      path[path.length - 1] = name;
      yield { path, isName: true, repeated: names.has(name) };
      names.add(name);
    } else if (string === undefined && token !== ',' && !token.startsWith('"')) {
      yield { path, isName: false, repeated: false };
    }
  }
}
