/**
 * Turns a value thrown by user code into plain text for the log. Any value may be thrown, with getters that throw or
 * never return: each property is read once, under a time limit.
 */
import { callInterruptibly } from './interruptible.js';

export const failureLimits = {
  /** Time limit for reading the thrown value. */
  timeMs: 20,
  messageCharactersMax: 1000,
  stackCharactersMax: 4000,
} as const;

export interface FailureFields {
  readonly error: string;
  readonly stack?: string;
}

export function describeFailure(thrown: unknown): FailureFields {
  try {
    return callInterruptibly(() => read(thrown), failureLimits.timeMs);
  } catch {
    return { error: 'what was thrown can not be read' };
  }
}

function read(thrown: unknown): FailureFields {
  if (typeof thrown !== 'object' || thrown === null) return { error: bounded(String(thrown)) };
  const { name, message, stack } = thrown as Partial<Record<string, unknown>>;
  if (typeof message !== 'string') return { error: 'what was thrown is no error' };
  const error = bounded(typeof name === 'string' ? `${name}: ${message}` : message);
  return typeof stack === 'string'
    ? { error, stack: stack.slice(0, failureLimits.stackCharactersMax) }
    : { error };
}

const bounded = (text: string): string => text.slice(0, failureLimits.messageCharactersMax);
