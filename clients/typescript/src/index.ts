export { Metergraph, type Options, type Stats } from './client.js';
export {
  ApiError,
  ClosedError,
  FlushTimeoutError,
  InvalidInputError,
  MetergraphError,
  QueueFullError,
  UndeliveredError,
  UnreachableError,
  type UserError,
} from './errors.js';
export type { Event } from './events.js';
export type { UsageOptions, UsageUpdate } from './live.js';
export type { Rejection } from './outcomes.js';
export type { CustomerId, CustomerMeter, UsageCheck } from './reads.js';
