/** Memory of the token buckets that all workers share (native/shared/buckets.h); pages are touched only when used. */
import { native } from '../addon.js';

export const createBuckets = (): SharedArrayBuffer =>
  new SharedArrayBuffer(native.layout.bucketWords * BigInt64Array.BYTES_PER_ELEMENT);
