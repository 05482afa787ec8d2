/** Where a document names modules of the user: handlers and validators, by paths relative to the document's folder. */
import { isAbsolute, resolve } from 'node:path';
import { findAll, isMapping } from './path.js';

const MODULES = [
  ['protocols.[]', 'handler'],
  ['protocols.[]', 'validator'],
  ['protocols.[].target', 'handler'],
  ['upstreams.*', 'handler'],
] as const;

/** `builtin:http`, `local:1`. */
const isName = (text: string): boolean => /^[a-z]+:/.test(text);

/** Replaces each relative path, in place, by what `rename` makes of it. */
export function renameModules(document: unknown, rename: (path: string) => string): void {
  for (const [owners, key] of MODULES) {
    // Aliases share their mapping.
    for (const owner of new Set(findAll(document, owners).map((found) => found.value))) {
      if (!isMapping(owner)) continue;
      const text = owner[key];
      if (typeof text === 'string' && !isAbsolute(text) && !isName(text)) owner[key] = rename(text);
    }
  }
}

/** A copy that means the same wherever it is read. */
export function withAbsoluteModules<Document>(document: Document, directory: string): Document {
  const copy = structuredClone(document);
  renameModules(copy, (path) => resolve(directory, path));
  return copy;
}
