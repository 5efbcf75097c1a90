/**
 * `npm run tour`: follows docs/tour.md. Its `sh` blocks are run as they stand, by one shell with real curl, and each `text` block says
 * what the answer before it must hold: its lines in this order, `…` standing for anything. A block `sh restart` kills the server
 * and starts it again. With the address of a running service as its argument it uses that one, and leaves it alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildIfNeeded } from './build-if-needed.js';
import { handedToOwnNode } from './own-node.js';
import { Shell, firstMissing, readPage } from './page.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PAGE = join(ROOT, 'docs', 'tour.md');
/** The address that the page speaks of. */
const PAGE_ADDRESS = 'http://127.0.0.1:7400';
const START_MILLIS_MAX = 60_000;
const SIGNALS = [
  ['SIGINT', 2],
  ['SIGTERM', 15],
];

async function tour(givenAddress) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tour-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const [signal, number] of SIGNALS) process.on(signal, () => process.exit(128 + number));
  const server = givenAddress === undefined ? await OwnServer.start(directory) : undefined;
  const shell = new Shell(directory);
  try {
    return await follow(pageFor(givenAddress ?? server.address), server, shell);
  } finally {
    shell.end();
    await server?.kill();
  }
}

async function follow(page, server, shell) {
  for (const part of page) {
    if (part.kind === 'prose') {
      process.stdout.write(`\n${part.content}\n`);
    } else if (part.kind === 'sh restart') {
      await restart(part, server);
    } else {
      process.stdout.write(`\n${prompted(part.content)}\n`);
      const answer = await shell.run(part.content);
      process.stdout.write(`${answer.trimEnd()}\n`);
      const missing = firstMissing(part.expected, answer);
      if (missing !== undefined) {
        process.stderr.write(`\nThe tour is wrong here: the answer should hold\n  ${missing}\n`);
        return 1;
      }
    }
  }
  process.stdout.write('\nThe tour went as it is written.\n');
  return 0;
}

async function restart({ content }, server) {
  process.stdout.write(`\n${prompted(content)}\n`);
  if (server === undefined) {
    process.stdout.write('(left out: the service is not ours to kill)\n');
    return;
  }
  await server.kill();
  await server.start();
  process.stdout.write('(killed with SIGKILL, and started again)\n');
}

function pageFor(address) {
  return readPage(readFileSync(PAGE, 'utf8').replaceAll(PAGE_ADDRESS, address));
}

function prompted(commands) {
  return commands
    .trimEnd()
    .split('\n')
    .map((line) => (/^[a-zA-Z]/.test(line) ? `$ ${line}` : `  ${line}`))
    .join('\n');
}

/** Holdfast on a free port and data of its own. */
class OwnServer {
  static async start(directory) {
    await buildIfNeeded();
    const server = new OwnServer(join(directory, 'data'), await freePort());
    await server.start();
    return server;
  }

  constructor(dataDirectory, port) {
    this.address = `http://127.0.0.1:${port}`;
    this.environment = {
      ...process.env,
      HOLDFAST_HTTP_PORT: String(port),
      HOLDFAST_ADMIN_PORT: '0',
      HOLDFAST_HTTP_HOST: '127.0.0.1',
      HOLDFAST_DATA_DIRECTORY: dataDirectory,
      HOLDFAST_LOG_LEVEL: 'warn',
    };
    // However this process ends, the server does not outlive it.
    process.prependListener('exit', () => this.process?.kill('SIGKILL'));
  }

  async start() {
    const main = join(ROOT, 'dist', 'apps', 'holdfast', 'src', 'main.js');
    this.process = spawn(process.execPath, [main], {
      env: this.environment,
      stdio: ['ignore', 'inherit', 'ignore'],
    });
    const givingUpAt = Date.now() + START_MILLIS_MAX;
    while (!(await this.ready())) {
      if (this.process.exitCode !== null)
        throw new Error(`Holdfast ended with exit code ${this.process.exitCode}`);
      if (Date.now() > givingUpAt) throw new Error(`not ready after ${START_MILLIS_MAX} ms`);
      await sleep(50);
    }
  }

  async ready() {
    try {
      return (await fetch(`${this.address}/health/ready`)).ok;
    } catch {
      return false;
    }
  }

  async kill() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.kill('SIGKILL')) await ended;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

if (!handedToOwnNode()) process.exitCode = await tour(process.argv[2]);
