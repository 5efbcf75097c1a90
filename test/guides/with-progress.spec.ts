import { describe, expect, it } from '@jest/globals';
// @ts-expect-error -- plain JavaScript that runs before anything is compiled
import { withProgress } from '../../bin/with-progress.js';

const run = withProgress as (
  title: string,
  command: string,
  parameters: readonly string[],
  options: { readonly output: { write(text: string): void }; readonly everyMillis: number },
) => Promise<unknown>;

async function told(script: string) {
  let text = '';
  const output = { write: (part: string) => void (text += part) };
  const code = await run('Building', process.execPath, ['-e', script], { output, everyMillis: 5 });
  return { code, lines: text.trim().split('\n') };
}

describe('a program that says nothing for a while', () => {
  it('is told of meanwhile, and at its end', async () => {
    const { code, lines } = await told('setTimeout(() => undefined, 100)');
    expect(code).toBe(0);
    expect(lines[0]).toBe('Building …');
    expect(lines[1]).toMatch(/^Building … \d+ s$/);
    expect(lines.at(-1)).toMatch(/^Building: done in \d+ s$/);
  });

  it('is not called done when it fails', async () => {
    const { code, lines } = await told('process.exit(3)');
    expect([code, lines.at(-1)]).toEqual([3, expect.not.stringContaining('done')]);
  });
});
