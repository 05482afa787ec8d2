/** Where the configurations of a running daemon come from: the file and the flags it was started with, or a document. */
import { Reader } from '../config/aside.js';
import type { FileRequest } from '../config/load.js';
import type { Document } from '../model/config.js';
import type { Configuration } from './configuration.js';

/** `request`: what the first configuration was read by. */
export function sourceOf({ document, name, directory }: Configuration, request: FileRequest) {
  const rests = new Set<() => void>();
  const reader = new Reader({}, () => {
    for (const rested of rests) rested();
  });
  // Documents are relative to where the newest file is.
  let base = directory;
  return {
    document,
    name,
    async reload() {
      const loaded = await reader.load(request);
      if (loaded.ok) base = loaded.directory;
      return loaded;
    },
    warm: () => reader.warm(),
    onRest: (rested: () => void) => void rests.add(rested),
    checkAsFile: (checked: Document) =>
      reader.load({ document: checked, directory: base, flags: request.flags }),
    check: (checked: Document) => reader.load({ document: checked, directory: base }),
  };
}
