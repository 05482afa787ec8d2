/** Reads YAML into plain data that remembers its positions. Knows nothing of what the keys mean. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import type { Problem } from '../model/config.js';
import { type Environment, expandReferences, plainValue, veilReferences } from './environment.js';
import { type Path, pathText } from './path.js';
import type { Source, Unreadable } from './source.js';

export interface ReadResult {
  readonly source: Source;
  /** Why it is not YAML: nothing else can be said then. */
  readonly problems: readonly Problem[];
}

/** `file` is what messages call the text; null for one that is built in. */
export function readConfig(text: string, file: string | null, environment: Environment): ReadResult {
  const lines = new LineCounter();
  const document = parseDocument(veilReferences(text), {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
  });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const problems = document.errors.map(({ pos, message }) => ({
    ...at(pos[0]),
    path: '',
    message: `not valid YAML: ${message.replace(/\s+/g, ' ')}`,
  }));
  const unreadable = replaceReferences(document, environment);
  const value: unknown = problems.length === 0 ? (document.toJS() ?? {}) : {};
  const place = (path: Path) => ({ ...at(findOffset(document, path)), path: pathText(path) });
  return { source: { value, unreadable, place }, problems };
}

function replaceReferences(document: Document, environment: Environment): Unreadable[] {
  const unreadable: Unreadable[] = [];
  visit(document, {
    Scalar(_, node, ancestors) {
      if (typeof node.value !== 'string') return;
      const expanded = expandReferences(node.value, environment);
      if (expanded === null) return;
      node.value = node.type === Scalar.PLAIN ? plainValue(expanded.text) : expanded.text;
      const path = keyPath([...ancestors, node]);
      for (const name of expanded.unset) unreadable.push({ path, message: unsetMessage(name) });
    },
  });
  return unreadable;
}

function unsetMessage(name: string): string {
  return `\`\${${name}}\` is not set in the environment: set it, or write \`\${${name}:-default}\``;
}

/** `chain`: from the document down to a value. */
function keyPath(chain: readonly unknown[]): Path {
  return chain.flatMap((each, index): Path => {
    if (isPair(each) && isScalar(each.key)) return [String(each.key.value)];
    return isSeq(each) ? [each.items.indexOf(chain[index + 1])] : [];
  });
}

/** Follows the path as far as the document goes; a key stands where its name is written. */
function findOffset(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? offsetOf(node) : 0;
  for (const part of path) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(container)) {
      const pair: Pair | undefined = container.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) return offset;
      if (isNode(pair.key)) offset = offsetOf(pair.key);
      node = pair.value;
    } else if (isSeq(container) && typeof part === 'number' && isNode(container.items[part])) {
      node = container.items[part];
      offset = offsetOf(node as Node);
    } else {
      return offset;
    }
  }
  return offset;
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
