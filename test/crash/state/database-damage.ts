import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Edits in LMDB's file that the medium could have made, at places where it would matter most. Layouts as in `state-pages.ts`, written down again here because
 * a test that shares a mistake with the code finds nothing.
 */
const PAGE_BYTES = 4_096;
const HEADER_BYTES = 24;
const NODE_BYTES = 8;
const KINDS = 0x6f;
const BRANCH = 1;
const LEAF = 2;

/** A node with its key and, in a leaf, its value: views that write through. */
interface Node {
  readonly index: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

export function databaseIn(directory: string): string {
  const state = join(directory, 'state');
  const [name, ...others] = readdirSync(state).filter((file) => file.startsWith('lmdb-'));
  if (name === undefined || others.length > 0) throw new Error(`${state} has not one database`);
  return join(state, name, 'data.mdb');
}

/**
 * Raises the last byte of a key that parts two pages of a section: the key that it was, first on the page behind it, is then looked for on the page in front of it. Only of
 * the first such key of each branch page: between two that are raised, the keys of a page lie outside its borders, which every lookup notices.
 */
export function shiftSeparators(directory: string, section: string): void {
  const prefix = Buffer.concat([Buffer.of(section.length), Buffer.from(section)]);
  let isShifted = false;
  edit(directory, BRANCH, ({ index, key }) => {
    if (index === 0) isShifted = false;
    if (index === 0 || isShifted || !key.subarray(0, prefix.length).equals(prefix)) return false;
    key.writeUInt8(key.readUInt8(key.length - 1) + 1, key.length - 1);
    return (isShifted = true);
  });
}

/** Changes the last byte of an entry's key: of a last digit 9, so that its order among the others stays. */
export function renameKey(directory: string, section: string, key: string): void {
  const bytes = Buffer.concat([Buffer.of(section.length), Buffer.from(section + key)]);
  edit(directory, LEAF, (node) => {
    if (!node.key.equals(bytes)) return false;
    node.key.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 2, bytes.length - 1);
    return true;
  });
}

/** Changes an entry's value, or the mark's where no section is named; `change` gets what is stored, its checksum in front. */
export function changeValue(
  directory: string,
  [section, key = '']: readonly [section: string, key: string] | readonly [],
  change: (stored: Buffer, key: Buffer) => boolean,
): void {
  const bytes =
    section === undefined
      ? Buffer.of(0xff, 1)
      : Buffer.concat([Buffer.of(section.length), Buffer.from(section + key)]);
  edit(directory, LEAF, (node) => node.key.equals(bytes) && change(node.value, node.key));
}

/** Every page of a kind, also those that an older checkpoint has left: nobody reads them. Throws when nothing was changed. */
function edit(directory: string, kind: number, change: (node: Node) => boolean): void {
  const path = databaseIn(directory);
  const bytes = readFileSync(path);
  let changed = 0;
  for (let at = 2 * PAGE_BYTES; at + PAGE_BYTES <= bytes.length; at += PAGE_BYTES) {
    const page = bytes.subarray(at, at + PAGE_BYTES);
    if (
      (page.readUInt16LE(18) & KINDS) !== kind ||
      Number(page.readBigUInt64LE(0)) * PAGE_BYTES !== at
    )
      continue;
    for (let index = 0; 2 * index < page.readUInt16LE(20); index++) {
      const node = nodeOf(page, index, kind);
      if (node !== undefined && change(node)) changed++;
    }
  }
  if (changed === 0) throw new Error(`nothing to damage in ${path}`);
  writeFileSync(path, bytes);
}

/** Undefined for what an older checkpoint has left in pieces, and for a value on pages of its own. */
function nodeOf(page: Buffer, index: number, kind: number): Node | undefined {
  const offsetAt = HEADER_BYTES + 2 * index;
  if (offsetAt + 2 > page.length) return undefined;
  const at = HEADER_BYTES + page.readUInt16LE(offsetAt);
  if (at + NODE_BYTES > page.length) return undefined;
  const keyEnd = at + NODE_BYTES + page.readUInt16LE(at + 6);
  const valueEnd = kind === LEAF ? keyEnd + page.readUInt32LE(at) : keyEnd;
  if (valueEnd > page.length) return undefined;
  return {
    index,
    key: page.subarray(at + NODE_BYTES, keyEnd),
    value: page.subarray(keyEnd, valueEnd),
  };
}
