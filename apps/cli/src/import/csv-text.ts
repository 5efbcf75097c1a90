import { type FileHandle, open } from 'node:fs/promises';
import iconv from 'iconv-lite';
import { ImportError } from './import.errors.js';

/** A file as text, piece by piece. */
export interface CsvText {
  /** As iconv-lite calls it. */
  readonly encoding: string;
  /** Whether the file begins with a byte order mark; the text does not. */
  readonly byteOrderMark: boolean;
  readonly pieces: AsyncGenerator<string>;
  /** That were read so far. */
  readonly bytes: number;
}

const BYTE_ORDER_MARKS: readonly (readonly [string, Buffer])[] = [
  ['utf8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

/** What stands for bytes that are not in the encoding. */
export const UNDECODED = '\ufffd';

/** Every browser reads these as windows-1252, which has letters where they have controls: a bank that says latin1 and writes € means it. */
const LATIN_1 = ['latin1', 'iso88591', 'l1', 'binary'];

/** What is no character in these is left out without a word, or they encode no text. */
const UNCHECKED = ['utf7', 'utf7imap', 'base64', 'hex'];

export function isEncoding(name: string): boolean {
  return iconv.encodingExists(name) && !UNCHECKED.includes(plain(name));
}

/** Of the same bytes the same, whatever the encoding that they are read in makes of them; where a byte order mark says the encoding, of the same text. */
export function bytesOf(
  text: string,
  { encoding, byteOrderMark }: Pick<CsvText, 'encoding' | 'byteOrderMark'>,
): Buffer {
  return byteOrderMark ? Buffer.from(text) : iconv.encode(text, encoding, { addBOM: false });
}

/**
 * A byte order mark decides, then the encoding that is named, then UTF-8. What is not in the encoding becomes U+FFFD. The pieces throw
 * `IMPORT_FILE_CHANGED` behind what was read before the file changed.
 */
export async function openText(path: string, named: string | undefined): Promise<CsvText> {
  const read = { bytes: 0 };
  const chunks = chunksOf(path, read);
  const first = await chunks.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  const mark = BYTE_ORDER_MARKS.find(([, bytes]) => bytes.equals(head.subarray(0, bytes.length)));
  const encoding = mark?.[0] ?? withoutControls(named ?? 'utf8');
  return {
    encoding,
    byteOrderMark: mark !== undefined,
    pieces: decoded(read, head, chunks, encoding),
    get bytes() {
      return read.bytes;
    },
  };
}

const CHUNK_BYTES = 64 * 1024;

/** A row that is written over while it is read may be half of one and half of another, and the last row of a file that grows half of one. */
async function* chunksOf(path: string, read: { bytes: number }): AsyncGenerator<Buffer, undefined> {
  const file = await open(path);
  try {
    const asOpened = await stateOf(file);
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES));
      if ((await stateOf(file)) !== asOpened)
        throw new ImportError(
          'IMPORT_FILE_CHANGED',
          `${path} was changed while it was read: start the import again once the file is whole`,
          { file: path },
        );
      if (bytesRead === 0) return undefined;
      read.bytes += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function stateOf(file: FileHandle): Promise<string> {
  const { size, mtimeNs } = await file.stat({ bigint: true });
  return `${size} ${mtimeNs}`;
}

function withoutControls(name: string): string {
  return LATIN_1.includes(plain(name)) ? 'windows-1252' : name;
}

/** Whether two names are of one encoding. */
export function isSameEncoding(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^0-9a-z]/g, '');
}

async function* decoded(
  read: { readonly bytes: number },
  head: Buffer,
  chunks: AsyncGenerator<Buffer, undefined>,
  encoding: string,
): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding);
  // Half of a surrogate pair waits for the other half, which some decoders give with the next piece.
  let half = '';
  try {
    for (let chunk: Buffer | undefined = head; chunk !== undefined;) {
      const text = half + decoder.write(chunk);
      half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
      yield half === '' ? text : text.slice(0, -1);
      const next = await chunks.next();
      chunk = next.done === true ? undefined : next.value;
    }
    yield half + endOf(decoder, encoding, read.bytes);
  } finally {
    await chunks.return(undefined);
  }
}

function endOf(decoder: iconv.DecoderStream, encoding: string, bytes: number): string {
  // Of UTF-16 the decoder leaves half a character out, and of CESU-8 it gives a number.
  const isHalf = bytes % 2 === 1 && /^(?:utf16|ucs2)/.test(plain(encoding));
  const rest: unknown = decoder.end();
  return `${typeof rest === 'string' ? rest : ''}${isHalf ? UNDECODED : ''}`;
}
