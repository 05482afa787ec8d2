/** Compiles a signature to an automaton. All its parts must hold; the decision falls at the earliest byte. */
import type { Automaton } from '../../model/classifier.js';
import type { Signature } from '../../model/protocol.js';
import { type BuiltDfa, buildDfa } from './build.js';
import { anyByte, single } from './byte-set.js';
import { type Check, flattenChecks, parseCheck } from './checks.js';
import type { FlatDfa } from './flatten.js';
import { byteIn, type Part, parsePattern, repeated, sequence } from './pattern.js';

export const limits = {
  /** Default of `maxBytes`: the sniffing limit. */
  sniffBytesMax: 65_536,
  /** Default of `containsWithin`. */
  containsWithin: 1024,
} as const;

export type Compiled =
  | { readonly ok: true; readonly automaton: Automaton }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Problems of a signature; empty when it is valid. */
export function checkSignature(signature: Signature): string[] {
  const compiled = compileSignature(signature);
  return compiled.ok ? [] : [...compiled.problems];
}

export function compileSignature(signature: Signature): Compiled {
  const { openings, occurrences, checks, problems } = readSources(signature);
  if (problems.length > 0) return { ok: false, problems };
  const maxBytes = signature.maxBytes ?? limits.sniffBytesMax;
  const within = Math.min(signature.containsWithin ?? limits.containsWithin, maxBytes);
  const parts = [
    ...(openings.length > 0 ? [boundedDfa(buildDfa(openings), maxBytes)] : []),
    ...(occurrences.length > 0 ? [boundedDfa(buildDfa([occurrences]), within)] : []),
  ];
  const refused = parts.flatMap((part) => (part.ok ? [] : [part.problem]));
  const dfas = parts.flatMap((part) => (part.ok ? [part.dfa] : []));
  const minBytes = signature.minBytes ?? 0;
  const needed = Math.max(
    minBytes,
    ...dfas.map(({ shortest }) => shortest),
    ...checks.map(({ bytes }) => bytes),
  );
  if (refused.length === 0 && needed > maxBytes) {
    refused.push(`can never match: it needs ${needed} bytes, and max_bytes is ${maxBytes}`);
  }
  if (refused.length > 0) return { ok: false, problems: refused };
  return { ok: true, automaton: { dfas, checks: flattenChecks(checks), minBytes } };
}

type BoundedDfa =
  | { readonly ok: true; readonly dfa: FlatDfa & { readonly maxBytes: number } }
  | { readonly ok: false; readonly problem: string };

function boundedDfa(built: BuiltDfa, maxBytes: number): BoundedDfa {
  if (!built.ok) return built;
  const { dfa } = built;
  if (dfa.shortest === 0) {
    return { ok: false, problem: 'matches before the first byte: it would take every session' };
  }
  if (dfa.shortest > maxBytes) {
    return {
      ok: false,
      problem: `can never match: it needs ${dfa.shortest} bytes, and max_bytes is ${maxBytes}`,
    };
  }
  return { ok: true, dfa: { ...dfa, maxBytes } };
}

interface Sources {
  /** One list of alternatives per source; each source must match. */
  readonly openings: readonly (readonly Part[])[];
  /** Alternatives that may start anywhere; one must occur. */
  readonly occurrences: readonly Part[];
  readonly checks: readonly Check[];
  readonly problems: readonly string[];
}

function readSources(signature: Signature): Sources {
  const problems: string[] = [];
  const report = (problem: string): [] => {
    problems.push(problem);
    return [];
  };
  const openings = [readPatterns(signature, report), readStartBytes(signature, report)];
  const sources = {
    openings: openings.filter((source) => source.length > 0),
    occurrences: readOccurrences(signature, report),
    checks: readChecks(signature, report),
  };
  if (sources.openings.length + sources.occurrences.length === 0 && problems.length === 0) {
    problems.push('needs start bytes, a pattern, or bytes that it contains');
  }
  return { ...sources, problems };
}

type Report = (problem: string) => [];

function readPatterns({ patterns = [] }: Signature, report: Report): Part[] {
  return patterns.flatMap((pattern) => {
    const parsed = parsePattern(pattern);
    return parsed.ok ? parsed.alternatives : report(`pattern ${JSON.stringify(pattern)}: ${parsed.problem}`);
  });
}

/** The bytes before `offset` are common to all alternatives, so they are built once: `offset` may be large. */
function readStartBytes({ startBytes = [], offset = 0 }: Signature, report: Report): Part[] {
  const before = repeated(byteIn(anyByte), offset, offset);
  const parts = startBytes.flatMap((hex) =>
    isHex(hex) ? [sequence(bytesOf(hex))] : report(notHex('start bytes', hex)),
  );
  return parts.length === 0 ? [] : [sequence([before, { kind: 'either', parts }])];
}

function readOccurrences({ contains = [] }: Signature, report: Report): Part[] {
  const before = repeated(byteIn(anyByte), 0, Number.POSITIVE_INFINITY);
  return contains.flatMap((hex) =>
    isHex(hex) ? [sequence([before, ...bytesOf(hex)])] : report(notHex('contains', hex)),
  );
}

function readChecks({ checks = [] }: Signature, report: Report): Check[] {
  return checks.flatMap((text) => {
    const parsed = parseCheck(text);
    return parsed.ok ? [parsed.check] : report(`check ${JSON.stringify(text)}: ${parsed.problem}`);
  });
}

const isHex = (text: string): boolean => /^(?:[0-9a-f]{2})+$/i.test(text);

const notHex = (key: string, text: string): string =>
  `${key} ${JSON.stringify(text)}: expected pairs of hex digits, e.g. "aa55"`;

const bytesOf = (hex: string): Part[] => [...Buffer.from(hex, 'hex')].map((byte) => byteIn(single(byte)));
