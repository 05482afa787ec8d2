/** Reads YAML into plain data with positions. Knows nothing of the keys' meaning. */
import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import type { Problem } from '../model/config.js';
import { type Environment, unveil, veilReferences } from './environment.js';
import { findTooDeep } from './nesting.js';
import { pathText } from './path.js';
import { plainLimits, toPlain } from './plain.js';
import type { Source } from './source.js';
import { findForeign, type Obstacle, positionIn } from './text.js';
import { syntaxMessage } from './yaml-messages.js';

export interface ReadResult {
  readonly source: Source;
  /** YAML syntax errors; nothing else can be checked then. */
  readonly problems: readonly Problem[];
}

/** Further syntax errors are mostly consequences of the first ones. */
const SYNTAX_PROBLEMS_MAX = 20;

/** `file`: name in messages; null for the built-in text. `environment`: null refuses references to it. */
export function readConfig(
  text: string,
  file: string | null,
  environment: Environment | null,
  valuesMax: number = plainLimits.valuesMax,
): ReadResult {
  const obstacle = findForeign(text) ?? findNesting(text);
  if (obstacle !== null) {
    return unread([{ file, ...positionIn(text, obstacle.offset), path: '', message: obstacle.message }]);
  }
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const parsed = parse(veilReferences(text), lines);
  if (typeof parsed === 'string') return unread([{ ...at(0), path: '', message: parsed }]);
  const { document, faults } = parsed;
  const problems = faults.map(({ offset, message }) => ({ ...at(offset), path: '', message }));
  if (problems.length > 0) return unread(problems);
  const placeText = (offset: number) => `${at(offset).line}:${at(offset).column}`;
  const plain = toPlain(document.contents, { environment, valuesMax }, placeText);
  const unreadable = plain.faults.map(({ path, offset, message }) => ({
    path,
    ...(offset !== undefined && { place: { ...at(offset), path: pathText(path) } }),
    message: unveil(message),
  }));
  const place: Source['place'] = (path) => ({ ...at(plain.offsetOf(path)), path: pathText(path) });
  return {
    source: { value: plain.value ?? {}, unreadable, files: file === null ? [] : [file], place },
    problems: [],
  };
}

function findNesting(text: string): Obstacle | null {
  const { depthMax } = plainLimits;
  const offset = findTooDeep(text, depthMax);
  return offset === null
    ? null
    : { offset, message: `nested deeper than ${depthMax} levels: no key needs that` };
}

function unread(problems: readonly Problem[]): ReadResult {
  const place: Source['place'] = (path) => ({ file: null, line: null, column: null, path: pathText(path) });
  return { source: { value: {}, unreadable: [], files: [], place }, problems };
}

interface Parsed {
  readonly document: Document;
  readonly faults: readonly { readonly offset: number; readonly message: string }[];
}

/** An error message where the library throws. */
function parse(text: string, lineCounter: LineCounter): Parsed | string {
  try {
    // Duplicate keys are detected in plain.ts: the library's check is quadratic.
    const options = { lineCounter, merge: false, prettyErrors: false, uniqueKeys: false };
    const document = parseDocument(text, { ...options, logLevel: 'error' });
    const tags = document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED');
    return { document, faults: firstOfEachPlace([...document.errors, ...tags]) };
  } catch (error) {
    return syntaxMessage('IMPOSSIBLE', (error as Error).message);
  }
}

function firstOfEachPlace(errors: readonly YAMLError[]): Parsed['faults'] {
  const places = new Map<number, YAMLError>();
  for (const error of errors) if (!places.has(error.pos[0])) places.set(error.pos[0], error);
  return [...places]
    .slice(0, SYNTAX_PROBLEMS_MAX)
    .map(([offset, { code, message }]) => ({ offset, message: unveil(syntaxMessage(code, message)) }));
}
