/** The position that a token of version 2 names (`position-token.ts`). Of one log all tokens have the same first part, so that it can be read without the log's id. */
export function positionOf(token: string): number {
  return Buffer.from(token, 'base64url').readUIntBE(9, 6);
}
