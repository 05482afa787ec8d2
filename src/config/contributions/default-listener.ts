/** The listener that a file has without a word about it stays when a fragment opens a port. */

import { isMapping } from '../path.js';
import type { Source } from '../source.js';
import { DEFAULT_ADDRESS } from '../validate/listeners.js';

/** `tree`: the value of the source. */
export function withItsListener(source: Source, tree: Record<string, unknown>): Source {
  const { server = {}, listeners, forwards, docker } = tree;
  const isElsewhere = listeners !== undefined || (docker ?? null) !== null || isFilled(forwards);
  if (isElsewhere || !isMapping(server) || server.listen !== undefined) return source;
  return { ...source, value: { ...tree, server: { ...server, listen: DEFAULT_ADDRESS } } };
}

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;
