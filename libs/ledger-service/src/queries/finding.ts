import type { ProblemParameters } from '@holdfast/platform';

/** What a query finds in one moment of the read model: a body, or which problem says that there is none. */
export type Finding<Body> = Found<Body> | Missing;

export interface Found<Body> {
  readonly kind: 'found';
  readonly body: Body;
  /** Of the resource; the answer's ETag. */
  readonly version: number | undefined;
}

export interface Missing {
  readonly kind: 'missing';
  readonly problem: MissingProblem;
  readonly parameters: ProblemParameters;
}

export type MissingProblem =
  'ledger-not-found' | 'asset-not-found' | 'account-not-found' | 'transfer-not-found';

export function found<Body>(body: Body, version?: number): Found<Body> {
  return { kind: 'found', body, version };
}

export function ledgerMissing(ledger: string): Missing {
  return { kind: 'missing', problem: 'ledger-not-found', parameters: { ledger } };
}

export function assetMissing(asset: string): Missing {
  return { kind: 'missing', problem: 'asset-not-found', parameters: { asset } };
}

export function accountMissing(accountId: string): Missing {
  return { kind: 'missing', problem: 'account-not-found', parameters: { accountId } };
}

export function transferMissing(transferId: string): Missing {
  return { kind: 'missing', problem: 'transfer-not-found', parameters: { transferId } };
}
