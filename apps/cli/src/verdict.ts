import { CliExit } from './exit-code.js';

/** What a verification ends with. */
export function exitOfVerification(isSound: boolean, unverified: readonly string[]): CliExit {
  if (!isSound) return CliExit.PROBLEMS;
  return unverified.length > 0 ? CliExit.NOT_ALL_VERIFIED : CliExit.OK;
}

/** Its verdict in words, and a line for each thing that it could not verify. */
export function verdictOf(isSound: boolean, unverified: readonly string[]): string {
  if (!isSound) return 'NOT sound';
  return unverified.length > 0 ? 'Sound as far as it was read, NOT all verified' : 'Sound';
}

export function unverifiedText(sentence: string): string {
  return `NOT VERIFIED ${sentence}`;
}
