/** Pages that are run: prose, blocks of commands, and what their answers must hold. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The parts of a page in Markdown, in order: `{ kind, content, expected }`. The kind is `prose`, or what stands behind the three marks of a block. A `text` block is no part of its
 * own: its lines are what the part before it must answer.
 */
export function readPage(markdown) {
  const parts = [];
  for (const [index, text] of markdown.split(/^```/m).entries()) {
    if (index % 2 === 0) {
      if (text.trim() !== '') parts.push({ kind: 'prose', content: text.trim(), expected: [] });
      continue;
    }
    const kind = text.slice(0, text.indexOf('\n')).trim();
    const content = text.slice(text.indexOf('\n') + 1);
    if (kind === 'text') parts.at(-1).expected = content.trimEnd().split('\n');
    else parts.push({ kind, content, expected: [] });
  }
  return parts;
}

/** The first expected line that does not follow the ones before it in the answer; `…` stands for anything. */
export function firstMissing(expected, answer) {
  let rest = answer;
  for (const line of expected) {
    const pattern = line.split('…').map(RegExp.escape).join('.*');
    const match = new RegExp(pattern, 'i').exec(rest);
    if (match === null) return line;
    rest = rest.slice(match.index + match[0].length);
  }
  return undefined;
}

/** One shell for the whole page, so that its variables last. */
export class Shell {
  /** Its commands run in `directory`; a step may take `stepMillisMax`. */
  constructor(directory, stepMillisMax = 30_000) {
    this.stepMillisMax = stepMillisMax;
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
    const givingUpAt = Date.now() + this.stepMillisMax;
    while (!this.output.includes(end)) {
      if (this.failure !== undefined) throw this.failure;
      if (Date.now() > givingUpAt)
        throw new Error(`no end after ${this.stepMillisMax} ms:\n${this.output}`);
      await sleep(10);
    }
    return this.output.slice(0, this.output.indexOf(end));
  }

  end() {
    this.process.kill();
  }
}
