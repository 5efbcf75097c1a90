import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import type { Mutant } from './mutant.js';

/** The rooms that a mutant can be in, and what they need. */
const ROOMS = ['kernel', 'wal', 'event-store'];
/** What a copy runs. Specs are left out everywhere. */
const HARNESS = 'test/crash';

/**
 * Compiled copies of the rooms with the crash harness beside them, each with one mutant in it. Everything is compiled once, file by file and without
 * looking at types; a copy compiles again only the file of its mutant.
 */
export class MutationBench {
  private readonly directory = mkdtempSync(join(tmpdir(), 'mutants-'));
  private readonly sources = resolve('.');

  constructor() {
    // Packages are found on the way up from the copies; the rooms are packages of each copy.
    symlinkSync(join(this.sources, 'node_modules'), join(this.directory, 'node_modules'));
    for (const room of ROOMS)
      this.compileTree(`libs/${room}/src`, this.roomDirectory('original', room));
    this.compileTree(HARNESS, this.harnessDirectory('original'));
    for (const room of ROOMS) writePackage(this.roomDirectory('original', room));
    writePackage(join(this.directory, 'original'));
  }

  /** The program that runs the probes in the copy without a mutant. */
  control(): string {
    return this.program('original');
  }

  /** Makes the copy and returns its program. Throws when the table is stale: the mutant's place is not there, or there more than once. */
  plant(mutant: Mutant): string {
    const [libs = '', room = '', ...path] = mutant.file.split('/').filter((part) => part !== 'src');
    if (libs !== 'libs' || !ROOMS.includes(room))
      throw new Error(`${mutant.file} is in no room that is compiled here`);
    const copy = `mutant-${mutant.name.replaceAll(/[^a-z0-9]+/gi, '-')}`;
    cpSync(join(this.directory, 'original'), join(this.directory, copy), { recursive: true });
    const target = join(this.roomDirectory(copy, room), path.join('/'));
    writeCompiled(target, mutated(mutant, readFileSync(join(this.sources, mutant.file), 'utf8')));
    return this.program(copy);
  }

  /** Of a copy that is done with. */
  clear(program: string): void {
    const [copy = ''] = relative(this.directory, program).split('/');
    if (copy !== 'original') rmSync(join(this.directory, copy), { recursive: true });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  private compileTree(from: string, to: string): void {
    for (const path of readdirSync(join(this.sources, from), {
      recursive: true,
      encoding: 'utf8',
    })) {
      if (!path.endsWith('.ts') || /spec\.ts$|\.d\.ts$|\.contract\.ts$/.test(path)) continue;
      writeCompiled(join(to, path), readFileSync(join(this.sources, from, path), 'utf8'));
    }
  }

  private roomDirectory(copy: string, room: string): string {
    return join(this.directory, copy, 'node_modules', '@holdfast', room);
  }

  private harnessDirectory(copy: string): string {
    return join(this.directory, copy, 'crash');
  }

  private program(copy: string): string {
    return join(this.harnessDirectory(copy), 'mutants', 'run-probes.js');
  }
}

function mutated({ name, file, find, replace }: Mutant, source: string): string {
  const places = source.split(find).length - 1;
  if (places === 1) return source.replace(find, () => replace);
  throw new Error(
    `the table of mutants is stale: '${name}' stands ${places} times in ${file}, not once:\n${find}`,
  );
}

function writeCompiled(path: string, source: string): void {
  const { outputText, diagnostics = [] } = ts.transpileModule(source, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      useDefineForClassFields: false,
    },
  });
  const [problem] = diagnostics;
  if (problem !== undefined)
    throw new Error(`${path}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path.replace(/\.ts$/, '.js'), outputText);
}

function writePackage(directory: string): void {
  // A part of a room is a folder with an index.
  const exports = { '.': './index.js', './*': './*/index.js' };
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', exports }));
}
