/**
 * Freezes plain data through and through: what is published is not changed any more. The language can not freeze
 * typed arrays; whoever publishes them keeps no other way to them.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
