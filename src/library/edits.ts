/** Changes of a document: pure functions; a text says why one is not possible. */
import type { Document } from '../model/config.js';
import { type EditFault, editProtocols } from '../primary/protocol-edits.js';

export type Edit = (document: Document) => Document | string;

type Entry = Readonly<Record<string, unknown>>;

export const DEFAULT_LISTEN = ':9090';

export const addProtocol =
  (entry: Entry): Edit =>
  (document) => ({ ...document, protocols: [...protocolsOf(document), entry] });

/** `changes`: keys to set; null removes one. */
export const updateProtocol =
  (name: string, changes: Entry): Edit =>
  (document) =>
    orText(name, editProtocols(document, { kind: 'merge', name, entry: changes }));

export const removeProtocol =
  (name: string): Edit =>
  (document) =>
    orText(name, editProtocols(document, { kind: 'remove', name }));

/** Only these addresses, beside `listeners` and `forwards`. Without any and without those: the default, which is then written. */
export function withListen(document: Document, addresses: readonly unknown[]): Document {
  const server = serverOf(document);
  if (addresses.length > 0) return { ...document, server: { ...server, listen: addresses } };
  if (server.listen !== undefined || 'listeners' in document || hasForwards(document)) return document;
  return { ...document, server: { ...server, listen: DEFAULT_LISTEN } };
}

export const addListen =
  (addresses: readonly unknown[]): Edit =>
  (document) => {
    const server = serverOf(document);
    const before = server.listen === undefined ? [] : [server.listen].flat();
    return { ...document, server: { ...server, listen: [...before, ...addresses] } };
  };

/** `next` in place of the document; where it says nothing of listening, what the document says stays. */
export const replaceKeepingListen =
  (next: Document): Edit =>
  (document) => {
    if ('listeners' in next || serverOf(next).listen !== undefined) return next;
    const { listen } = serverOf(document);
    return {
      ...next,
      server: { ...serverOf(next), ...(listen !== undefined && { listen }) },
      ...('listeners' in document && { listeners: document.listeners }),
    };
  };

const hasForwards = ({ forwards }: Document): boolean => Array.isArray(forwards) && forwards.length > 0;

function protocolsOf({ protocols }: Document): Entry[] {
  return Array.isArray(protocols) ? protocols : [];
}

function serverOf({ server }: Document): Entry {
  return typeof server === 'object' && server !== null ? (server as Entry) : {};
}

const orText = (name: string, edited: Document | EditFault): Document | string =>
  edited === 'missing' ? `no protocol \`${name}\` is configured` : edited;
