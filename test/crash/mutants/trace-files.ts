/**
 * Loaded before a program, and before each of its threads: notes what they do to the files of a state, one line of JSON a call, in the file that
 * `TRACED_INTO` names. A sync is noted when it has returned; everything else before it is done, so that no order looks safer than it was.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { TRACED_INTO, type TracedCall } from './traced-call.js';

const { openSync, closeSync, writeSync, readSync, fsyncSync, renameSync, rmSync } = fs;
const { open, rename } = fs.promises;
const into = process.env[TRACED_INTO] ?? '';
const paths = new Map<number, string>();
const TEXT_CHARACTERS_MAX = 2_000;

function note(call: TracedCall): void {
  const isOfState = /\/(state|snapshots)(\/|$)/.test(call.path) && !call.path.includes('lmdb-');
  // A directory's entry is durable once the one above it is synced.
  if (!isOfState && call.call !== 'sync') return;
  fs.appendFileSync(into, `${JSON.stringify(call)}\n`);
}

function pathOf(descriptor: number): string {
  return paths.get(descriptor) ?? '';
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content.slice(0, TEXT_CHARACTERS_MAX) : '';
}

Object.assign(fs, {
  openSync: (...call: Parameters<typeof openSync>) => {
    const descriptor = openSync(...call);
    paths.set(descriptor, String(call[0]));
    return descriptor;
  },
  closeSync: (descriptor: number) => {
    paths.delete(descriptor);
    closeSync(descriptor);
  },
  writeSync: (...call: Parameters<typeof writeSync>) => {
    const [descriptor, content] = call as unknown as [number, unknown];
    note({
      call: 'write',
      path: pathOf(descriptor),
      text: textOf(content),
      bytes: lengthOf(content),
    });
    return writeSync(...call);
  },
  readSync: (...call: Parameters<typeof readSync>) => {
    const bytes = readSync(...call);
    note({ call: 'read', path: pathOf(call[0]), bytes });
    return bytes;
  },
  fsyncSync: (descriptor: number) => {
    fsyncSync(descriptor);
    note({ call: 'sync', path: pathOf(descriptor) });
  },
  renameSync: (from: string, to: string) => {
    note({ call: 'rename', path: from, to });
    renameSync(from, to);
  },
  rmSync: (...call: Parameters<typeof rmSync>) => {
    note({ call: 'remove', path: String(call[0]) });
    rmSync(...call);
  },
});
Object.assign(fs.promises, {
  open: async (...call: Parameters<typeof open>) => {
    const path = String(call[0]);
    const handle = await open(...call);
    const writeFile = handle.writeFile.bind(handle);
    const sync = handle.sync.bind(handle);
    return Object.assign(handle, {
      writeFile: (content: string) => {
        note({ call: 'write', path, text: textOf(content), bytes: lengthOf(content) });
        return writeFile(content);
      },
      sync: async () => {
        await sync();
        note({ call: 'sync', path });
      },
    });
  },
  rename: (from: string, to: string) => {
    note({ call: 'rename', path: from, to });
    return rename(from, to);
  },
});
syncBuiltinESMExports();

function lengthOf(content: unknown): number {
  return typeof content === 'string' ? Buffer.byteLength(content) : (content as Uint8Array).length;
}
