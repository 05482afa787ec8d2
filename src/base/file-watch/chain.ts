/** Where a path can change its meaning: the folders of its last name and of every symbolic link on the way. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** As the kernel: MAXSYMLINKS. */
const LINKS_MAX = 40;

/** Folder → names in it that decide; null: every name. */
export type Chain = Map<string, Set<string> | null>;

/** Adds the folders of an absolute path to `chain`. Where something is missing, the folder in which it would appear. */
export function addChain(path: string, chain: Chain, linksMax = LINKS_MAX): void {
  const names = resolve(path).split('/').filter(Boolean);
  let folder = '/';
  for (const [index, name] of names.entries()) {
    const here = join(folder, name);
    const link = linkOf(here);
    const isLast = index === names.length - 1;
    if (isLast || link !== 'folder') note(chain, folder, name);
    if (link === 'missing') return;
    if (typeof link === 'object') {
      const target = resolve(dirname(here), link.target);
      if (linksMax > 0) addChain(join(target, ...names.slice(index + 1)), chain, linksMax - 1);
      return;
    }
    folder = here;
  }
}

function note(chain: Chain, folder: string, name: string): void {
  const names = chain.get(folder);
  if (names) names.add(name);
  else if (names === undefined) chain.set(folder, new Set([name]));
}

function linkOf(path: string): 'missing' | 'folder' | 'other' | { readonly target: string } {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return { target: readlinkSync(path) };
    return stats.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'missing';
  }
}
