/** Where the configurations of a running daemon come from: the file and the flags it was started with, or a document. */
import { Reader } from '../config/aside.js';
import type { FileRequest } from '../config/load.js';
import type { Document } from '../model/config.js';
import type { Contribution, Fragment, ProviderName } from '../providers/contribution.js';
import type { Configuration } from './configuration.js';

/** `request`: what the first configuration was read by. */
export function sourceOf({ document, name, directory }: Configuration, request: FileRequest) {
  const rests = new Set<() => void>();
  const reader = new Reader({}, () => {
    for (const rested of rests) rested();
  });
  // Documents are relative to where the newest file is.
  let base = directory;
  // By provider: each has one at most, and its last good one stays.
  const contributed = new Map<string, Contribution>();
  const contributions = () => [...contributed.values()];
  return {
    document,
    name,
    async reload() {
      const loaded = await reader.load({ ...request, contributions: contributions() });
      if (loaded.ok) base = loaded.directory;
      return loaded;
    },
    warm: () => reader.warm(),
    onRest: (rested: () => void) => void rests.add(rested),
    checkAsFile: (checked: Document) =>
      reader.load({
        document: checked,
        directory: base,
        flags: request.flags,
        contributions: contributions(),
      }),
    check: (checked: Document) =>
      reader.load({ document: checked, directory: base, contributions: contributions() }),
    contribute: (contribution: Contribution) => void contributed.set(contribution.provider, contribution),
    contributed: (provider: ProviderName) =>
      (contributed.get(provider)?.fragments ?? []).filter((each): each is Fragment => 'document' in each),
    withdraw: (provider: ProviderName) => void contributed.delete(provider),
  };
}
