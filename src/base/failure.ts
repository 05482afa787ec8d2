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
  // A stack that is mapped to other sources may take longer than the limit: then it is left out.
  return readWith(true, thrown) ?? readWith(false, thrown) ?? { error: 'what was thrown can not be read' };
}

function readWith(stack: boolean, thrown: unknown): FailureFields | null {
  try {
    return callInterruptibly(() => read(thrown, stack), failureLimits.timeMs);
  } catch {
    return null;
  }
}

function read(thrown: unknown, withStack: boolean): FailureFields {
  if (typeof thrown !== 'object' || thrown === null) return { error: bounded(String(thrown)) };
  const { name, message } = thrown as Partial<Record<string, unknown>>;
  if (typeof message !== 'string') return { error: 'what was thrown is no error' };
  const error = bounded(typeof name === 'string' ? `${name}: ${message}` : message);
  const stack = withStack ? (thrown as { stack?: unknown }).stack : undefined;
  return typeof stack === 'string'
    ? { error, stack: stack.slice(0, failureLimits.stackCharactersMax) }
    : { error };
}

const bounded = (text: string): string => text.slice(0, failureLimits.messageCharactersMax);
