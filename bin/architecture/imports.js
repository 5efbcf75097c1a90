/**
 * What imports what, as dependency-cruiser measured it (`npm run imports`): rooms, the folders in them, and the arrows between both. Specs and
 * `testing/` are not counted.
 *
 * The files in a room's root are two nodes. Its `words` are those that a folder of the room imports, and what they import of the root; all others are its `entry`, and
 * so are folders that hold nothing but an index.ts (`reading/`, `following/`). So an arrow between two folders and their root runs in a circle only where a word
 * imports a folder.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MEASURED = join(ROOT, 'node_modules', '.cache', 'imports.json');

const SOURCE = /^(libs|apps|config)\/.*\.[jt]s$/;
const TESTS = /[.-]spec\.ts$|\.contract\.ts$|\/(testing|simulation)\//;

/** `libs/wal/src/index.ts` imports `libs/kernel/src/index.ts`, and so on: all imports between source files. */
export function readImports() {
  const { modules } = JSON.parse(readFileSync(MEASURED, 'utf8'));
  const files = modules.map(({ source }) => source).filter(isSource);
  const imports = modules.flatMap(({ source, dependencies }) =>
    isSource(source)
      ? dependencies.map(({ resolved }) => [source, resolved]).filter(([, to]) => isSource(to))
      : [],
  );
  return { files, imports };
}

function isSource(file) {
  return SOURCE.test(file) && !TESTS.test(file);
}

/** Rooms by name, each with its folders and their arrows, and the arrows between the rooms. */
export function architecture({ files, imports }) {
  const names = [...new Set(files.map(roomOf))].sort();
  const rooms = names.map((name) => inside(name, files, imports));
  return { rooms, arrows: distinct(imports.map(([from, to]) => [roomOf(from), roomOf(to)])) };
}

/** `kernel`, `apps/cli`, `config`. */
export function roomOf(file) {
  const [kind, name] = file.split('/');
  return { libs: name, apps: `apps/${name}`, config: 'config' }[kind];
}

function inside(name, files, imports) {
  const own = files.filter((file) => roomOf(file) === name);
  const ownImports = imports.filter((pair) => pair.every((file) => roomOf(file) === name));
  const folders = foldersOf(own);
  const words = wordsOf(ownImports, (file) => folders.get(file) === undefined);
  const folderOf = (file) => folders.get(file) ?? (words.has(file) ? 'words' : 'entry');
  return {
    name,
    folders: [...new Set(own.map(folderOf))].sort(),
    arrows: distinct(ownImports.map((pair) => pair.map(folderOf))),
  };
}

/** The folder of each file that is in one which holds more than a door. */
function foldersOf(own) {
  const folder = (file) => /^(?:libs|apps)\/[^/]+\/src\/([^/]+)\//.exec(file)?.[1];
  const more = new Set(own.filter((file) => !file.endsWith('/index.ts')).map(folder));
  return new Map(own.filter((file) => more.has(folder(file))).map((file) => [file, folder(file)]));
}

function wordsOf(imports, isRoot) {
  const isDoor = (file) => isRoot(file) && file.endsWith('/index.ts');
  const words = new Set();
  let before = -1;
  while (before < words.size) {
    before = words.size;
    for (const [from, to] of imports)
      if (isRoot(to) && !isDoor(to) && (words.has(from) || !isRoot(from))) words.add(to);
  }
  return words;
}

/** Each arrow once, none from a thing to itself. */
function distinct(arrows) {
  const texts = arrows.filter(([from, to]) => from !== to).map((arrow) => arrow.join('\n'));
  return [...new Set(texts)].sort().map((text) => text.split('\n'));
}

/** Folders that import one another, by whatever way: however they are arranged, an arrow between them runs up. By room. */
export function circlesOf({ rooms }) {
  return rooms.flatMap(({ name, folders, arrows }) => {
    const within = folders.filter((folder) => reachable(folder, arrows).has(folder));
    return within.length === 0 ? [] : [{ name, within }];
  });
}

/** All that can be reached from one node, without itself unless it stands in a circle. */
export function reachable(from, arrows, seen = new Set()) {
  for (const [start, to] of arrows)
    if (start === from && !seen.has(to)) {
      seen.add(to);
      reachable(to, arrows, seen);
    }
  return seen;
}

/** Without the arrows that follow from others: where A imports B and B imports C, A's own import of C is not drawn. */
export function reduced(arrows) {
  return arrows.filter(
    ([from, to]) =>
      !arrows.some(([start, via]) => {
        if (start !== from || via === to || via === from) return false;
        const beyond = reachable(via, arrows);
        return beyond.has(to) && !beyond.has(from);
      }),
  );
}
