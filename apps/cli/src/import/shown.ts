/**
 * Text as messages show it: in quotes, and with what nobody can see as an escape: no-break and thin spaces, marks of
 * zero width, byte order marks, controls, what is no character.
 */
export function shown(text: string): string {
  return JSON.stringify(text).replace(/[[\p{C}\p{Z}]--[ ]]/gv, (invisible) =>
    [...Array(invisible.length).keys()]
      .map((index) => `\\u${invisible.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** `"a", "b"` */
export function shownList(texts: readonly string[]): string {
  return texts.map(shown).join(', ');
}
