/** The active checks: the table is also the vocabulary of `health_check.type`. */
import type { HealthCheck } from '../check.js';
import { tcp } from './tcp.js';

export const checks = { tcp } as const;

export type CheckName = keyof typeof checks;

export const checkNames = Object.keys(checks) as [CheckName, ...CheckName[]];

/** Erases the type of the options, which only each check itself needs. */
export const checkOf = (type: string): HealthCheck | undefined =>
  Object.hasOwn(checks, type) ? checks[type as CheckName] : undefined;
