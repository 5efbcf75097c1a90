import { APPLICATIONS } from './applications.js';
import { allVariables } from './load-configuration.js';

/** The table of `docs/configuration.md`: a test keeps the document equal to it. */
export function configurationTable(): string {
  const readers = new Map<string, string[]>();
  const rows = new Map<string, readonly string[]>();
  for (const [application, configuration] of Object.entries(APPLICATIONS)) {
    for (const { name, defaultText, allowed, meaning } of allVariables(configuration)) {
      readers.set(name, [...(readers.get(name) ?? []), application]);
      rows.set(name, [defaultText === '' ? '' : `\`${defaultText}\``, allowed, meaning]);
    }
  }
  return [
    '| variable | default | allowed | meaning | read by |',
    '| --- | --- | --- | --- | --- |',
    ...[...rows].map(
      ([name, cells]) =>
        `| \`${name}\` | ${cells.join(' | ')} | ${readers.get(name)?.join(', ') ?? ''} |`,
    ),
  ].join('\n');
}
