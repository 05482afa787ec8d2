/** Changes of the configuration that the control interface asks for, and what they would change. */
import { createHash } from 'node:crypto';
import type { DiffResult, EditResult } from '../../admin/control.js';
import { unveilSecrets } from '../../config/secrets.js';
import type { Document } from '../../model/config.js';
import type { DiffItem } from '../../model/diff.js';
import type { LiveCounts } from '../../model/session-list.js';
import type { Settings } from '../../model/settings.js';
import { editProtocols, type ProtocolEdit } from '../protocol-edits.js';
import type { OperationsSource } from './source.js';

/** An entity tag: RFC 9110 section 8.8.3. */
export const tagOf = (document: Document): string =>
  `"${createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32)}"`;

/** RFC 9110 section 13.1.1: a list of tags, or `*`. */
const isTagged = (document: Document, ifTag: string): boolean =>
  ifTag.trim() === '*' || ifTag.split(',').some((tag) => tag.trim() === tagOf(document));

export async function replaceConfig(
  settings: Settings,
  document: Document,
  ifTag: string | null,
): Promise<EditResult> {
  const unveiled = unveilSecrets(document, settings.current.document);
  if (unveiled.problems.length > 0) return { result: 'refused', problems: unveiled.problems };
  if (ifTag === null) return settings.replace(unveiled.document, 'admin');
  // As an edit, because the tag is compared when it is this change's turn.
  let isStale = false;
  const result = await settings.edit((running) => {
    isStale = !isTagged(running, ifTag);
    return isStale ? running : unveiled.document;
  }, 'admin');
  return isStale ? { result: 'changed_meanwhile' } : result;
}

export async function diff(
  { settings, sessions }: OperationsSource,
  document: Document,
): Promise<DiffResult> {
  const unveiled = unveilSecrets(document, settings.current.document);
  if (unveiled.problems.length > 0) return { ok: false, problems: unveiled.problems };
  const found = await settings.diff(unveiled.document);
  if (!found.ok) return found;
  const counts = await sessions.count();
  return { ok: true, items: found.diff.map((item) => ({ ...item, sessions: liveSessions(item, counts) })) };
}

function liveSessions({ kind, name, upstream }: DiffItem, counts: LiveCounts): number | null {
  switch (kind) {
    case 'setting':
    case 'profile':
    case 'user':
      return null;
    case 'listener':
      return counts.listeners.get(name) ?? 0;
    case 'protocol':
      return counts.protocols.get(name.toLowerCase()) ?? 0;
    case 'route':
      return counts.routes.get(name) ?? 0;
    case 'upstream':
      return counts.upstreams.get(name) ?? 0;
    case 'endpoint':
      return counts.endpoints.get(`${upstream} ${name}`) ?? 0;
  }
}

export async function edit(settings: Settings, wanted: ProtocolEdit): Promise<EditResult> {
  let fault: 'exists' | 'missing' | null = null;
  const result = await settings.edit((running) => {
    const edited = editProtocols(running, wanted);
    if (typeof edited !== 'string') return edited;
    fault = edited;
    return running;
  }, 'admin');
  return fault === null ? result : { result: fault };
}
