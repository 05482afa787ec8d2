/**
 * Inputs of the fuzzer of openings, from the built program: tables of all built-in protocols (TCP, then UDP), and
 * the recorded flights and some PROXY headers as first corpus. test/native/classifier_fuzz.cc reads both.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const built = (name) => import(pathToFileURL(resolve('dist', name)).href);

const word = (value) => Buffer.from(Uint32Array.of(value).buffer);
const list = (values) => [
  word(values.length),
  Buffer.from(values.buffer, values.byteOffset, values.byteLength),
];

const dfaParts = ({ classes, classCount, transitions, maxBytes }) => [
  word(classCount),
  word(maxBytes),
  ...list(classes),
  ...list(transitions),
];

const automatonParts = ({ dfas, checks, minBytes }) => [
  word(dfas.length),
  ...dfas.flatMap(dfaParts),
  ...list(checks),
  word(minBytes),
];

async function tablesOf(transport) {
  const { compileClassifier } = await built('protocols/compile.js');
  const { recognizersFor } = await built('protocols/index.js');
  const recognizers = recognizersFor(transport);
  const { automata } = compileClassifier(recognizers, recognizers.length);
  return [word(automata.length), ...automata.flatMap(automatonParts)];
}

/** Flags (1: UDP, 2: ended, 4: name all), three cuts, and no protocol rejected. */
function seedOf({ transport, segments }) {
  const flags = transport === 'udp' ? 1 | 2 | 4 : 4;
  const identified = transport === 'udp' ? segments.slice(0, 1) : segments;
  const bytes = identified.map((segment) => Buffer.from(segment, 'base64'));
  return Buffer.concat([Buffer.of(flags, 32, 96, 160, 0, 0, 0, 0), ...bytes]);
}

/** Flag 16: the bytes are a PROXY header; 32: of a datagram. */
const HEADER = Buffer.of(16, 0, 0, 0, 0, 0, 0, 0);
const DATAGRAM_HEADER = Buffer.of(16 | 32, 0, 0, 0, 0, 0, 0, 0);
const V2 = '0d0a0d0a000d0a515549540a';
const binary = (digits) => Buffer.from(`${V2}${digits}`.replaceAll(' ', ''), 'hex');
const headers = [
  ...['TCP4 192.0.2.1 198.51.100.7 56324 443', 'TCP6 2001:db8::1 ::ffff:192.0.2.1 1 65535', 'UNKNOWN x'].map(
    (said) => Buffer.from(`PROXY ${said}\r\n`),
  ),
  ...[
    '21 11 000f c0000201 c6336407 dc04 01bb 040000',
    '21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb',
    '20 00 0000',
    `21 31 00d8 ${'2f'.repeat(216)}`,
  ].map(binary),
];
const datagramHeader = binary('21 12 000c c0000201 c6336407 dc04 01bb');

/** Returns the paths of the tables and of the corpus. */
export async function writeFuzzInputs(folder) {
  const [tables, corpus] = [join(folder, 'tables.bin'), join(folder, 'corpus')];
  mkdirSync(corpus, { recursive: true });
  writeFileSync(tables, Buffer.concat([...(await tablesOf('tcp')), ...(await tablesOf('udp'))]));
  const flights = readFileSync('test/cases/flights.jsonl', 'utf8').trimEnd().split('\n');
  for (const flight of flights.map((line) => JSON.parse(line))) {
    writeFileSync(join(corpus, flight.id), seedOf(flight));
  }
  for (const [index, header] of headers.entries())
    writeFileSync(join(corpus, `proxy-header-${index}`), Buffer.concat([HEADER, header]));
  writeFileSync(join(corpus, 'proxy-header-datagram'), Buffer.concat([DATAGRAM_HEADER, datagramHeader]));
  return { tables, corpus };
}
