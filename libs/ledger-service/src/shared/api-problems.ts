import { PLATFORM_PROBLEMS, problemResponses } from '@holdfast/platform';
import { LEDGER_PROBLEMS } from './ledger-problems.js';

/** The problems that a handler may answer with, by status. */
export const ApiProblems = problemResponses({ ...PLATFORM_PROBLEMS, ...LEDGER_PROBLEMS });
