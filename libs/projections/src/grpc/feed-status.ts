import { CodedError, type ErrorDetails, errorMessage } from '@holdfast/kernel';
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { feedRefused, feedUnavailable } from '../feed.errors.js';
import { CODE_KEY, DETAILS_KEY } from './feed-protocol.js';

/** A failure of the source as the end of a call: our code travels beside gRPC's. */
export function statusOf(error: unknown): StatusObject {
  const metadata = new Metadata();
  if (!(error instanceof CodedError))
    return { code: status.INTERNAL, details: errorMessage(error), metadata };
  metadata.set(CODE_KEY, error.code);
  metadata.set(DETAILS_KEY, Buffer.from(JSON.stringify(error.details)));
  return { code: grpcCodeOf(error), details: error.message, metadata };
}

function grpcCodeOf(error: CodedError): status {
  if (error.code === 'FEED_UNAVAILABLE') return status.UNAVAILABLE;
  if (error.code === 'FEED_REFUSED') return status.PERMISSION_DENIED;
  if (error.code === 'FEED_PROTOCOL') return status.INVALID_ARGUMENT;
  return status.FAILED_PRECONDITION;
}

/** What no second try of the same client can mend. Everything else is a matter of time. */
const REFUSALS: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
]);

/** The end of a call as the consumer's failure. */
export function failureOf(url: string, error: ServiceError): CodedError {
  const [code] = error.metadata.get(CODE_KEY);
  if (typeof code === 'string' && code !== 'FEED_UNAVAILABLE')
    return new CodedError(code, error.details, detailsOf(error.metadata), { cause: error });
  return REFUSALS.has(error.code) ? feedRefused(url, error) : feedUnavailable(url, error);
}

function detailsOf(metadata: Metadata): ErrorDetails {
  const [json] = metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(json)) return {};
  return JSON.parse(json.toString()) as ErrorDetails;
}
