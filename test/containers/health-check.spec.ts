import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** What the script of the image's health check says of an address. */
function check(...line: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['bin/health.js', ...line], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

describe('the health check of the containers', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });

  const answering = async (status: number): Promise<string> => {
    server = createServer(({ url }, answer) => answer.writeHead(status).end(`${url} ${status}`));
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it.each([
    [200, 0],
    [503, 1],
    [404, 1],
  ])('ends, on %i, with %i, and says what the service says', async (status, code) => {
    const output = `/health/ready ${status}`;
    expect(await check(await answering(status))).toEqual({ code, output });
  });

  it('ends with 69 where nobody answers, and where it is given no address', async () => {
    expect(await check('http://127.0.0.1:9')).toMatchObject({ code: 69 });
    expect(await check()).toMatchObject({ code: 69 });
  });

  it('loads nothing but what Node brings: it runs every few seconds for as long as a service lives', () => {
    expect(staticImports('bin/health.js')).toEqual(['node:http']);
  });
});

describe('the command line', () => {
  it('loads of the rooms, before it knows which command is called, the smallest only', () => {
    const rooms = importsBelow('apps/cli/src/run.ts').filter((name) => name.startsWith('@'));
    expect(new Set(rooms)).toEqual(new Set(['@holdfast/kernel']));
  });
});

/** Without those of types only, which are gone when it runs. */
function staticImports(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const imports = source.matchAll(/^import (?!type)(?:[^;]*? from )?'([^']+)';$/gms);
  return Array.from(imports, ([, name = '']) => name);
}

function importsBelow(path: string): string[] {
  return staticImports(path).flatMap((name) =>
    name.startsWith('.') ? importsBelow(join(dirname(path), name.replace(/\.js$/, '.ts'))) : [name],
  );
}
