/** Lists of networks: who may connect. `security` has them for every listener, a listener for itself. */
import { z } from 'zod';
import { networks } from './addresses.js';
import { expecting, list } from './fields.js';

const PATH = 'a path';
/** Each is watched. */
const FILES_MAX = 32;

function files(key: string) {
  const path = z.string(expecting(PATH)).min(1, expecting(PATH));
  const meaning = `Files with more of \`${key}\`: an address or network a line, \`#\` before a comment; read again when they change`;
  const most = expecting(`at most ${FILES_MAX} paths`);
  return list(path, meaning, 'paths').max(FILES_MAX, most).default([]);
}

/** `is…`: what is said of each. */
function lists(isTrusted: string, isDenied: string, isAllowed: string) {
  return {
    ip_whitelist: networks(isTrusted).default([]),
    ip_whitelist_files: files('ip_whitelist'),
    ip_blacklist: networks(isDenied).default([]),
    ip_blacklist_files: files('ip_blacklist'),
    allow_only: networks(isAllowed).default([]),
    allow_only_files: files('allow_only'),
  };
}

export const listsOfAll = lists(
  'Trusted: not limited as a source, never banned',
  'Refused at accept, before a byte is read; wins over the whitelist',
  'If not empty, every other source is refused',
);

export const listsOfListener = lists(
  'Trusted here, besides those of `security`',
  'Refused here, besides those of `security`',
  'If not empty, every other source is refused here; who is not in `security.allow_only` stays refused',
);
