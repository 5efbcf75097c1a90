/**
 * A folder holds no more source files than a reader keeps in mind, and a file no more lines than one reads at a sitting, unless its first comment says why: "Long
 * because …". Specs and `testing/` are not counted.
 */
import { basename, dirname } from 'node:path';
import { roomOf } from './imports.js';

const FILES_MAX = 20;
const LINES_MAX = 400;
const REASON = 'Long because';
const FIRST_COMMENT = /\/\*[^]*?\*\/|(?:^[ \t]*\/\/.*\n?)+/m;

/** What is larger than it may be, and each exception that is no longer needed. */
export function sizeFaults(files, textOf, { crowdedFolders, longFiles }) {
  const crowded = [...Map.groupBy(files, (file) => dirname(file))]
    .filter(([, within]) => within.length > FILES_MAX)
    .map(([folder]) => folder);
  const long = files
    .filter((file) => isLongWithoutReason(textOf(file)))
    .map((file) => `${roomOf(file)}/${basename(file)}`);
  const unneeded = [...without(crowdedFolders, crowded), ...without(longFiles, long)];
  return [
    ...without(crowded, crowdedFolders).map(
      (folder) => `${folder} has more than ${FILES_MAX} source files`,
    ),
    ...without(long, longFiles).map(
      (file) =>
        `${file} has more than ${LINES_MAX} lines, and no "${REASON} …" in its first comment`,
    ),
    ...unneeded.map(
      (it) => `${it} needs no exception: take it out of bin/architecture/exceptions.js`,
    ),
  ];
}

function isLongWithoutReason(text) {
  const lines = text.split('\n').length - 1;
  return lines > LINES_MAX && !(FIRST_COMMENT.exec(text)?.[0] ?? '').includes(REASON);
}

function without(some, others) {
  return some.filter((it) => !others.includes(it));
}
