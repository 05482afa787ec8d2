/** A fragment as a source, whose places are where it was said: lines of its text, or labels of a container. */
import type { Document, Problem } from '../../model/config.js';
import {
  contributionLimits,
  type Fragment,
  type ProviderName,
  provenance,
  type WrittenFragment,
} from '../../providers/contribution.js';
import { documentSource } from '../document.js';
import { pathText } from '../path.js';
import { readConfig } from '../read.js';
import { unplaced } from '../report.js';
import type { Source } from '../source.js';

export interface Part {
  readonly provider: ProviderName;
  readonly fragment: Fragment;
  readonly source: Source;
  /** Whether a problem of the whole is one of this fragment. */
  readonly isOf: (problem: Problem) => boolean;
}

export type Read =
  | { readonly part: Part; readonly problems: readonly [] }
  | { readonly part: null; readonly problems: readonly Problem[] };

export function partOf(provider: ProviderName, fragment: Fragment | WrittenFragment): Read {
  return 'document' in fragment && fragment.text === undefined
    ? { part: made(provider, fragment), problems: [] }
    : written(provider, fragment as WrittenFragment);
}

function made(provider: ProviderName, fragment: Fragment): Part {
  const origins = new Set<string>();
  const place: Source['place'] = (path) => {
    const file = provenance(provider, fragment, pathText(path));
    origins.add(file);
    return { file, line: null, column: null, path: pathText(path) };
  };
  const isOf = ({ file }: Problem) => file !== null && origins.has(file);
  return { provider, fragment, source: { ...documentSource(fragment.document), place }, isOf };
}

/** References to the environment are not replaced: whoever writes a fragment may not know its secrets. */
function written(provider: ProviderName, { from, text }: WrittenFragment): Read {
  const origin = provenance(provider, { from }, '');
  if (text.trim() === '') return { part: null, problems: [{ ...unplaced('is empty'), file: origin }] };
  const { source, problems } = readConfig(text, origin, null, contributionLimits.valuesMax);
  if (problems.length > 0) return { part: null, problems };
  const fragment = { from, text, document: source.value as Document };
  const isOf = ({ file }: Problem) => file === origin;
  return { part: { provider, fragment, source, isOf }, problems: [] };
}
