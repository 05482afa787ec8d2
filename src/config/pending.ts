/**
 * Keys accepted although this release does not implement them: they are named in one warning. Whoever implements a key
 * removes it here. A key that restricts access or changes the wire format must not be among them.
 */
import { findAll, pathText } from './path.js';

/** Patterns as in `findAll`. */
export const pendingKeys: readonly string[] = ['distributed.load_balancer'];

/** Key paths without effect. */
export const findPending = (value: unknown): string[] =>
  pendingKeys.flatMap((pattern) => findAll(value, pattern).map(({ path }) => pathText(path)));
