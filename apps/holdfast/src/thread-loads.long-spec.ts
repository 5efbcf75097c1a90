import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Every source that is loaded when this one is, and every package: what imports for their types only is left out, as by the compiler. */
function loadedBy(start: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const pending = [start];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        experimentalDecorators: true,
      },
    });
    // What is imported later is not loaded by the start.
    const atOnce = outputText.replaceAll(/\bimport\(/g, 'later(');
    for (const { fileName } of ts.preProcessFile(atOnce).importedFiles) {
      const source = sourceOf(fileName, path);
      if (source === undefined) packages.add(fileName.replace(/^node:/, ''));
      else pending.push(source);
    }
  }
  return { files, packages };
}

function sourceOf(name: string, from: string): string | undefined {
  const room = /^@holdfast\/([^/]+)(\/.+)?$/.exec(name);
  if (room !== null) return join(ROOT, 'libs', room[1]!, 'src', room[2] ?? '', 'index.ts');
  return name.startsWith('.') ? join(dirname(from), name.replace(/\.js$/, '.ts')) : undefined;
}

describe('a thread loads what it needs, and no framework or network:', () => {
  it.each([
    [
      'queries',
      'libs/ledger-service/src/queries/query.worker.ts',
      // 70: with the door of what any HTTP service says, which the error of a cursor comes through, and what a query is asked by.
      75,
      ['better-sqlite3'],
    ],
    [
      'the projection',
      'apps/holdfast/src/projection.worker.ts',
      // 141: files of the log and of the read models were split off others, for a second kind of store, for the quarantine and for rules that are written once.
      150,
      ['better-sqlite3', 'crc-32', 'fs-native-extensions', 'pino'],
    ],
  ])('%s', (_, script, filesMax, installed) => {
    const { files, packages } = loadedBy(join(ROOT, script));
    expect([...files].filter((file) => !existsSync(file))).toEqual([]);
    const loaded = [...packages].filter((name) => existsSync(join(ROOT, 'node_modules', name)));
    expect(loaded.sort()).toEqual(installed);
    expect(files.size).toBeLessThan(filesMax);
  });
});
