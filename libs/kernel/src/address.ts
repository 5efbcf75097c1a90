const ADDRESS = /^https?:\/\/[0-9A-Za-z._:[\]-]{1,255}\/?$/;

/** Completes "must be …". */
export const ADDRESS_ALLOWED =
  'an http or https address without a path, its port, if any, at most 65535';

/** The address of a service, such as http://127.0.0.1:7400, without the slash that may stand behind it; undefined when the text is none. */
export function addressOf(text: string): string | undefined {
  return ADDRESS.test(text) && URL.canParse(text) ? text.replace(/\/$/, '') : undefined;
}
