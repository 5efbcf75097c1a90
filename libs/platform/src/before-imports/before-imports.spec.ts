import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';

const ENTRY = new URL('./index.ts', import.meta.url).href;

/** What a program says that finds modules faster. */
function said(program: string, microservices: boolean): unknown {
  const start = `import { findModulesFaster } from '${ENTRY}'; findModulesFaster({ microservices: ${microservices} });`;
  const { stdout } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '--eval', `${start}\n${program}`],
    { encoding: 'utf8' },
  );
  return JSON.parse(stdout);
}

it.each([
  {
    microservices: false,
    answers: [
      '@nestjs/microservices is not part of this program',
      '@nestjs/microservices/microservices-module.js is not part of this program',
      true,
    ],
  },
  { microservices: true, answers: [true, true, true] },
])('with Nest’s microservices or as if they were not installed: $microservices', (of) => {
  const program = `
    const found = (name) => {
      try { return import.meta.resolve(name) !== ''; } catch (error) { return error.message; }
    };
    const names = ['@nestjs/microservices', '@nestjs/microservices/microservices-module.js', 'node:http'];
    console.log(JSON.stringify(names.map(found)));`;
  expect(said(program, of.microservices)).toEqual(of.answers);
});

it('finds what Node finds: other modules, packages around them, and that a file is missing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-before-imports-'));
  try {
    for (const [path, text] of Object.entries({
      'package.json': '{ "type": "module" }',
      'main.js': `
        import { word } from './inner/word.js';
        import common from './old/common.js';
        const again = await import('./inner/../inner/word.js?');
        export const answer = [word, common, again.word, await import('./missing.js').catch(({ message }) => message)];`,
      'inner/word.js': `export { word } from '../word.js';`,
      'word.js': `export const word = 'word';`,
      'old/package.json': '{ "type": "commonjs" }',
      'old/common.js': `module.exports = require('./other');`,
      'old/other.js': `module.exports = 'common';`,
    })) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const main = join(directory, 'main.js');
    const program = `console.log(JSON.stringify((await import(${JSON.stringify(main)})).answer));`;
    const missing = expect.stringContaining(join(directory, 'missing.js'));
    expect(said(program, false)).toEqual(['word', 'common', 'word', missing]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
