/** The position that a token names. Of one log all tokens have the same first part, so that it can be read without the log's id. */
export function positionOf(token: string): number {
  return Buffer.from(token, 'base64url').readUIntBE(8, 6);
}
