import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { ImportError } from './import.errors.js';
import { MAPPING_SCHEMA, type MappingFile } from './mapping-schema.js';
import { shown } from './shown.js';

const OPTIONS = { strict: true, allowUnionTypes: true, useDefaults: true, verbose: true };
let validate: ValidateFunction<MappingFile> | undefined;

/** The text of a mapping as somebody wrote it. Throws `IMPORT_MAPPING_INVALID` where a part of it would be lost without a word. */
export function mappingText(file: string): string {
  const bytes = readFileSync(file);
  const text = bytes.toString();
  if (!isUtf8(bytes)) throw mappingRefusal(file, '', 'is not UTF-8');
  contentOf(file, text);
  const twice = memberTwice(text);
  if (twice === undefined) return text;
  throw mappingRefusal(file, '', `has ${shown(twice)} twice in one object, of which one counts`);
}

/** Throws `IMPORT_MAPPING_INVALID`, which names the member and what it must be. */
export function readMappingFile(file: string, text: string): MappingFile {
  const content = contentOf(file, text);
  validate ??= new Ajv(OPTIONS).compile<MappingFile>(MAPPING_SCHEMA);
  if (validate(content)) return content;
  const [error] = validate.errors ?? [];
  if (error === undefined) throw new Error('what is refused has an error');
  throw mappingRefusal(file, placeOf(error), problemOf(error));
}

/** `place` is the member, such as `rules[0].debit`; empty for the whole. */
export function mappingRefusal(file: string, place: string, problem: string): ImportError {
  return new ImportError(
    'IMPORT_MAPPING_INVALID',
    `${file}: ${place === '' ? 'the mapping' : place} ${problem}`,
    { file, field: place },
  );
}

function contentOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new ImportError(
      'IMPORT_MAPPING_INVALID',
      `${file} is not JSON: ${(error as Error).message}`,
      { file },
      { cause: error },
    );
  }
}

/** Of what is JSON: a member that stands twice in an object, of which only the last is read. */
function memberTwice(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, name] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (name !== undefined) {
      const member = JSON.parse(name) as string;
      if (open.at(-1)?.has(member) === true) return member;
      open.at(-1)?.add(member);
    } else if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
  }
  return undefined;
}

function placeOf({ instancePath, params }: ErrorObject): string {
  const { missingProperty, additionalProperty } = params as Record<string, string | undefined>;
  const names = instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return [...names, missingProperty ?? additionalProperty ?? []].flat().reduce((place, name) => {
    if (/^[0-9]+$/.test(name)) return `${place}[${name}]`;
    return place === '' ? name : `${place}.${name}`;
  }, '');
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'an object',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

interface SchemaPart {
  readonly description?: string;
  readonly properties?: object;
}

function problemOf({ keyword, params, parentSchema, message = '' }: ErrorObject): string {
  const { type, allowedValues, limit } = params as Readonly<Record<string, unknown>>;
  const { description = '', properties = {} } = (parentSchema ?? {}) as SchemaPart;
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return `is not known here; there are ${Object.keys(properties).join(', ')}`;
    case 'type':
      return `must be ${[type]
        .flat()
        .map((name) => TYPES[String(name)])
        .join(' or ')}`;
    case 'enum':
      return `must be one of ${(allowedValues as readonly string[]).map(choice).join(', ')}`;
    case 'const':
      return 'must be true';
    case 'pattern':
      return description;
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must be at most ${String(limit)} character${limit === 1 ? '' : 's'}`;
    case 'minItems':
      return 'must be a list of at least one';
    case 'minProperties':
      return 'must have at least one';
    case 'minimum':
    case 'maximum':
      return `must be a whole number, ${message.replace(/^must be /, '')}`;
    default:
      return message;
  }
}

/** Words as they are, marks in quotes. */
function choice(value: string): string {
  return /^[\w-]+$/.test(value) ? value : shown(value);
}
