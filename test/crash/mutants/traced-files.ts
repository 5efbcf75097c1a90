import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TRACED_INTO, type TracedCall } from './traced-call.js';

/**
 * Which calls a state makes on its files, and in which order: what a power cut may leave of them follows from that. Nothing gets its name before it is
 * synced, nobody is told of it before its name is synced too, and a snapshot is read back in between.
 */
export async function assertNamesAreDurable(): Promise<void> {
  const calls = await Promise.resolve(traced());
  const said = calls.flatMap(({ call, text = '' }, at) => (call === 'said' ? [{ at, text }] : []));
  if (said.length < 8) throw new Error(`only ${said.map(({ text }) => text).join()} was said`);
  calls.forEach((_, at) => assertSyncedBeforeNamed(calls, at));
  calls.forEach((_, at) => assertDirectoryIsDurable(calls, at));
  for (const { at, text } of said) assertDurable(calls.slice(0, at), text);
  assertPrunedAfterwards(calls);
}

function traced(): TracedCall[] {
  const directory = mkdtempSync(join(tmpdir(), 'traced-'));
  const into = join(directory, 'calls');
  try {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', programBeside('trace-files.js'), programBeside('traced-service.js')],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', [TRACED_INTO]: into } },
    );
    if (status !== 0) throw new Error(`the traced service ended with ${String(status)}: ${stderr}`);
    const lines = readFileSync(into, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as TracedCall);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A file is whole on the disk when a rename gives it the name that it is looked for by. */
function assertSyncedBeforeNamed(calls: readonly TracedCall[], at: number): void {
  const { call, path, to = '' } = calls[at] ?? { call: 'said', path: '' };
  if (call !== 'rename') return;
  const before = calls.slice(0, at).filter((other) => other.path === path);
  const written = before.findLastIndex((other) => other.call === 'write');
  const synced = before.findLastIndex((other) => other.call === 'sync');
  if (written < 0 || synced < written)
    throw new Error(`${basename(path)} becomes ${basename(to)}, and is not synced`);
  if (!to.endsWith('.snapshot')) return;
  const bytesOf = (kind: TracedCall['call'], from: number): number =>
    before
      .slice(from)
      .reduce((sum, other) => (other.call === kind ? sum + (other.bytes ?? 0) : sum), 0);
  const begun = before.findLastIndex(({ call: kind }) => kind === 'rename') + 1;
  if (bytesOf('read', synced) < bytesOf('write', begun))
    throw new Error(`${basename(path)} becomes ${basename(to)}, and is not read back`);
}

/** What is in a directory is lost with it when a power cut takes that back. */
function assertDirectoryIsDurable(calls: readonly TracedCall[], at: number): void {
  const { call, to = '' } = calls[at] ?? { call: 'said', path: '' };
  if (call !== 'rename') return;
  const above = dirname(dirname(to));
  if (!calls.slice(0, at).some((other) => other.call === 'sync' && other.path === above))
    throw new Error(`${basename(to)} is in a directory that is not durable itself`);
}

/** What was told is in a file whose name was durable before. */
function assertDurable(before: readonly TracedCall[], told: string): void {
  const [word = '', position = ''] = told.split(' ');
  const wanted: Readonly<Record<string, readonly (readonly [name: string, text: string])[]>> = {
    recorded: [['STATE', `"position":${position},`]],
    damaged: [['STATE', '"rebuild":']],
    // Had it died while it opened the database, the next start would have known.
    opened: [
      ['STATE', '"opening":true'],
      ['STATE', '"opening":false'],
    ],
    snapshot: [[`${position}.snapshot`, '']],
  };
  for (const [name, text] of wanted[word] ?? [])
    if (!isDurablyNamed(before, name, text))
      throw new Error(`'${told}' was said, and ${name} with ${text || 'it'} is not durable`);
}

function isDurablyNamed(calls: readonly TracedCall[], name: string, text: string): boolean {
  return calls.some(({ call, path, to = '' }, at) => {
    if (call !== 'rename' || basename(to) !== name) return false;
    const written = calls
      .slice(0, at)
      .findLast((other) => other.call === 'write' && other.path === path);
    if (written?.text?.includes(text) !== true) return false;
    return calls.slice(at).some((other) => other.call === 'sync' && other.path === dirname(to));
  });
}

/** An older snapshot goes only once the newer one's name is durable. */
function assertPrunedAfterwards(calls: readonly TracedCall[]): void {
  const isSnapshot = (path: string): boolean => path.endsWith('.snapshot');
  const removed = calls.findIndex(({ call, path }) => call === 'remove' && isSnapshot(path));
  if (removed < 0) throw new Error('no snapshot was removed');
  const before = calls.slice(0, removed);
  const named = before.findLastIndex(({ call, to = '' }) => call === 'rename' && isSnapshot(to));
  const directory = dirname(before[named]?.to ?? '');
  if (!before.slice(named).some(({ call, path }) => call === 'sync' && path === directory))
    throw new Error('a snapshot was removed before the newer one had its name for good');
}

function programBeside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
