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

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PAGE = join(ROOT, 'docs', 'tour.md');
/** The address that the page speaks of. */
const PAGE_ADDRESS = 'http://127.0.0.1:7400';
const START_MILLIS_MAX = 60_000;
const STEP_MILLIS_MAX = 30_000;
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
    return await follow(readPage(givenAddress ?? server.address), server, shell);
  } finally {
    shell.end();
    await server?.kill();
  }
}

async function follow(page, server, shell) {
  for (const part of page) {
    if (part.kind === 'prose') {
      process.stdout.write(`\n${part.text}\n`);
    } else if (part.restart) {
      await restart(part, server);
    } else {
      process.stdout.write(`\n${prompted(part.commands)}\n`);
      const answer = await shell.run(part.commands);
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

async function restart({ commands }, server) {
  process.stdout.write(`\n${prompted(commands)}\n`);
  if (server === undefined) {
    process.stdout.write('(left out: the service is not ours to kill)\n');
    return;
  }
  await server.kill();
  await server.start();
  process.stdout.write('(killed with SIGKILL, and started again)\n');
}

/** The parts of the page: prose, and commands with what their answer must hold. */
function readPage(address) {
  const parts = [];
  for (const [index, text] of readFileSync(PAGE, 'utf8').split(/^```/m).entries()) {
    if (index % 2 === 0) {
      if (text.trim() !== '') parts.push({ kind: 'prose', text: text.trim() });
      continue;
    }
    const language = text.slice(0, text.indexOf('\n')).trim();
    const content = text.slice(text.indexOf('\n') + 1).replaceAll(PAGE_ADDRESS, address);
    if (language === 'text') parts.at(-1).expected = content.trimEnd().split('\n');
    else
      parts.push({
        kind: 'step',
        restart: language === 'sh restart',
        commands: content,
        expected: [],
      });
  }
  return parts;
}

/** The first expected line that does not follow the ones before it in the answer. */
function firstMissing(expected, answer) {
  let rest = answer;
  for (const line of expected) {
    const pattern = line.split('…').map(RegExp.escape).join('.*');
    const match = new RegExp(pattern, 'i').exec(rest);
    if (match === null) return line;
    rest = rest.slice(match.index + match[0].length);
  }
  return undefined;
}

function prompted(commands) {
  return commands
    .trimEnd()
    .split('\n')
    .map((line) => (/^[a-zA-Z]/.test(line) ? `$ ${line}` : `  ${line}`))
    .join('\n');
}

/** One shell for the whole page, so that its variables last. */
class Shell {
  constructor(directory) {
    this.output = '';
    this.steps = 0;
    this.process = spawn('sh', [], { cwd: directory, stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdout.on('data', (text) => (this.output += text.toString()));
    this.process.on('error', (error) => (this.failure = error));
    this.process.on('exit', () => (this.failure ??= new Error('the shell has ended')));
  }

  /** What the commands print. curl says nothing of its progress. */
  async run(commands) {
    const end = `end-of-step-${(this.steps += 1)}`;
    this.output = '';
    this.process.stdin.write(
      `curl() { command curl -sS "$@" && echo; }\n${commands}\necho ${end}\n`,
    );
    const givingUpAt = Date.now() + STEP_MILLIS_MAX;
    while (!this.output.includes(end)) {
      if (this.failure !== undefined) throw this.failure;
      if (Date.now() > givingUpAt)
        throw new Error(`no end after ${STEP_MILLIS_MAX} ms:\n${this.output}`);
      await sleep(10);
    }
    return this.output.slice(0, this.output.indexOf(end));
  }

  end() {
    this.process.kill();
  }
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
