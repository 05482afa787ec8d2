/**
 * Where a document names files of the user, by paths relative to the document's folder: modules (handlers and
 * validators), lists of networks, endpoints, keys, users and certificates.
 */
import { isAbsolute, resolve } from 'node:path';
import { listKeys } from '../model/config.js';
import { findAll, isMapping, type Path } from './path.js';

const MODULES = [
  ['protocols.[]', 'handler'],
  ['protocols.[]', 'validator'],
  ['protocols.[].target', 'handler'],
  ['forwards.[].target', 'handler'],
  ['upstreams.*', 'handler'],
] as const;

const LISTS = ['security', 'listeners.[]', 'forwards.[]'].flatMap((owners) =>
  Object.values(listKeys).map((key) => [owners, `${key}_files`] as const),
);

const UPSTREAMS = ['upstreams.*', 'protocols.[].target', 'forwards.[].target'];

/** Lists of files with endpoints. */
const ENDPOINTS = UPSTREAMS.map((upstream) => [upstream, 'file_sd'] as const);

/** Private keys, users of the proxy, and authorities of others. */
const KEYS = [
  ['kcp.*', 'private_key_file'],
  ['connect_proxy', 'users_file'],
  ['docker.tls', 'ca'],
  ['docker.tls', 'cert'],
  ['docker.tls', 'key'],
  ...(['ca', 'cert', 'key'] as const).map((key) => ['distributed.tls', key] as const),
  ...UPSTREAMS.flatMap((upstream) => ['via', 'via.[]'].map((via) => [`${upstream}.${via}`, 'ca'] as const)),
] as const;

/** Files with keys, users and certificates, which are read with the document: absolute paths. */
export const keyFilesOf = (document: unknown, directory: string): string[] =>
  KEYS.flatMap(([owners, key]) => findAll(document, `${owners}.${key}`))
    .map(({ value }) => value)
    .filter((file) => typeof file === 'string' && file !== '')
    .map((file) => resolve(directory, file as string));

/** Paths of the keys that name code or files, whatever they say. */
export const filesNamedIn = (document: unknown): Path[] =>
  [...MODULES, ...LISTS, ...ENDPOINTS, ...KEYS]
    .flatMap(([owners, key]) => findAll(document, `${owners}.${key}`))
    .map(({ path }) => path);

/** `builtin:http`, `local:1`. */
const isName = (text: string): boolean => /^[a-z]+:/.test(text);

const isRelative = (text: unknown): text is string => typeof text === 'string' && !isAbsolute(text);

/** Replaces each relative path, in place, by what `rename` makes of it. */
export function renameModules(document: unknown, rename: (path: string) => string): void {
  for (const [owners, key] of [...MODULES, ...LISTS, ...ENDPOINTS, ...KEYS]) {
    // Aliases share their mapping.
    for (const owner of new Set(findAll(document, owners).map((found) => found.value))) {
      if (!isMapping(owner)) continue;
      const written = owner[key];
      if (Array.isArray(written))
        owner[key] = written.map((each) => (isRelative(each) ? rename(each) : each));
      else if (isRelative(written) && !isName(written)) owner[key] = rename(written);
    }
  }
}

/** A copy that means the same wherever it is read. */
export function withAbsoluteModules<Document>(document: Document, directory: string): Document {
  const copy = structuredClone(document);
  renameModules(copy, (path) => resolve(directory, path));
  return copy;
}
