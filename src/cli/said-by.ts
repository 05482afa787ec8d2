/** Who says how much of a configuration, in words. */
import { counted } from '../base/figures.js';
import { originKinds, type SaidBy } from '../model/origins.js';

/** `docker: container web-1: 1 upstream, 1 route`. */
export function saidByText({ source, counts, endpoints }: SaidBy): string {
  const parts = [
    ...originKinds.filter((kind) => counts[kind] > 0).map((kind) => counted(counts[kind], kind)),
    ...(endpoints > 0 ? [counted(endpoints, 'endpoint')] : []),
  ];
  return `${source ?? 'the program'}: ${parts.join(', ')}`;
}
