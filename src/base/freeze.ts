/**
 * Deep-freezes plain data, so that a published value can not change. JavaScript can not freeze typed arrays: their
 * publisher must keep no other reference to them.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
