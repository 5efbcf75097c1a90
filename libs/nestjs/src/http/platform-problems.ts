import type { ProblemKinds } from './problem-catalogue.js';

/** The problems that any HTTP service of this house can meet. A service adds its own. */
export const PLATFORM_PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'cursor-invalid': { status: 400, title: 'The cursor is not one that this resource gave' },
  unauthorized: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  'not-acceptable': { status: 406, title: 'No representation that the request accepts' },
  'request-timeout': { status: 408, title: 'The request was not sent in time' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  overloaded: { status: 429, title: 'Too much work is waiting; try again later' },
  'internal-error': { status: 500, title: 'The service failed' },
  'storage-unavailable': { status: 503, title: 'Storage is not available' },
  'too-many-uploads': { status: 503, title: 'Too much is being received; try again later' },
  'service-stopping': { status: 503, title: 'The service is stopping' },
} as const satisfies ProblemKinds;
