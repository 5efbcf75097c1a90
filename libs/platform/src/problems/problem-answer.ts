import { errorCode } from '@holdfast/kernel';
import { HttpException } from '@nestjs/common';
import {
  type CodedErrorProblems,
  type ProblemAnswer,
  ProblemException,
  codedProblem,
} from '@holdfast/nestjs/http';

/** Problems by the status of an exception that Nest or Fastify threw. */
const SLUGS_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'too-large',
  // Fastify's answer to a path parameter beyond `maxParamLength`: no resource can have such a name.
  414: 'not-found',
  415: 'unsupported-media-type',
  429: 'overloaded',
  431: 'headers-too-large',
};

/** Translates anything thrown. What nobody foresaw becomes `internal-error` and tells the client nothing. */
export function problemAnswer(thrown: unknown, codedErrors: CodedErrorProblems): ProblemAnswer {
  if (thrown instanceof ProblemException) return { slug: thrown.slug, ...thrown.options };
  const coded = codedProblem(thrown, codedErrors);
  if (coded !== undefined) return coded;
  const { status, message } = httpError(thrown);
  if (status < 400 || status >= 500) return { slug: 'internal-error' };
  const detail = status === 415 ? `${message.replace(/\.$/, '')}: send application/json` : message;
  return { slug: SLUGS_BY_STATUS[status] ?? 'invalid-request', detail };
}

/** The status and message of Nest's exceptions, and of Fastify's errors where Nest does not see them first. */
function httpError(thrown: unknown): { status: number; message: string } {
  if (thrown instanceof HttpException)
    return { status: thrown.getStatus(), message: thrown.message };
  if (errorCode(thrown)?.startsWith('FST_') && hasStatus(thrown))
    return { status: thrown.statusCode, message: thrown.message };
  return { status: 500, message: '' };
}

function hasStatus(thrown: unknown): thrown is { statusCode: number; message: string } {
  return (
    typeof thrown === 'object' &&
    thrown !== null &&
    'statusCode' in thrown &&
    typeof thrown.statusCode === 'number' &&
    'message' in thrown &&
    typeof thrown.message === 'string'
  );
}
