import { createReadStream, type ReadStream } from 'node:fs';
import iconv from 'iconv-lite';

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

/** A byte order mark decides, then the encoding that is named, then UTF-8. What is not in the encoding becomes U+FFFD. */
export async function openText(path: string, named: string | undefined): Promise<CsvText> {
  const input = createReadStream(path);
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  const mark = BYTE_ORDER_MARKS.find(([, bytes]) => bytes.equals(head.subarray(0, bytes.length)));
  const encoding = mark?.[0] ?? withoutControls(named ?? 'utf8');
  return {
    encoding,
    byteOrderMark: mark !== undefined,
    pieces: decoded(input, head, chunks, encoding),
    get bytes() {
      return input.bytesRead;
    },
  };
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
  input: ReadStream,
  head: Buffer,
  chunks: AsyncIterator<Buffer>,
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
    yield half + endOf(decoder, encoding, input.bytesRead);
  } finally {
    input.destroy();
  }
}

function endOf(decoder: iconv.DecoderStream, encoding: string, bytes: number): string {
  // Of UTF-16 the decoder leaves half a character out, and of CESU-8 it gives a number.
  const isHalf = bytes % 2 === 1 && /^(?:utf16|ucs2)/.test(plain(encoding));
  const rest: unknown = decoder.end();
  return `${typeof rest === 'string' ? rest : ''}${isHalf ? UNDECODED : ''}`;
}
