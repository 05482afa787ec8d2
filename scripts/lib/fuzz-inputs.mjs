/**
 * Inputs of the fuzzers. Of openings, from the built program: tables of all built-in protocols (TCP, then UDP), and
 * the recorded flights and some PROXY headers as first corpus (test/native/classifier_fuzz.cc reads both). Of links:
 * conversations of few segments (test/native/link_fuzz.cc).
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

/** A segment of KCP: conv, command (81 push), fragment, window, time, serial, una, length. */
function segmentOf(serial, payload, command = 81) {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0x01010101, 0);
  header.writeUInt8(command, 4);
  header.writeUInt16LE(64, 6);
  header.writeUInt32LE(serial, 12);
  header.writeUInt32LE(payload.length, 20);
  return Buffer.concat([header, payload]);
}

/** Frames of smux: open (0), end (1), data (2), nothing (3), window (4), reset (5). */
function frameOf(version, command, sid, payload = Buffer.alloc(0)) {
  const header = Buffer.alloc(8);
  header.writeUInt8(version, 0);
  header.writeUInt8(command, 1);
  header.writeUInt16LE(payload.length, 2);
  header.writeUInt32LE(sid, 4);
  return Buffer.concat([header, payload]);
}

function shardOf(seqid, segment) {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(seqid, 0);
  header.writeUInt16LE(0xf1, 4);
  header.writeUInt16LE(segment.length + 2, 6);
  return Buffer.concat([header, segment]);
}

const control = (type, digits) =>
  Buffer.concat([Buffer.of(2, type), Buffer.from(digits.padEnd(16, '0'), 'hex')]);
const datagramsOf = (kind, datagrams) =>
  Buffer.concat([
    Buffer.of(kind),
    ...datagrams.flatMap((bytes) => [
      Buffer.of(0, bytes.length % 256, bytes.length >> 8),
      bytes,
      Buffer.of(7),
    ]),
  ]);

/** Snappy's framing: the stream's name, and one chunk of the text as it is behind its masked CRC-32C. */
function compressed(text) {
  let sum = 0xffffffff;
  for (const byte of text) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  sum = ~sum >>> 0;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(((text.length + 4) << 8) | 1, 0);
  head.writeUInt32LE((((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0, 4);
  return Buffer.concat([Buffer.from('ff060000734e61507059', 'hex'), head, text]);
}

/** Kinds: 1 client, 2 of one stream, 4 compressed, 8 and 16 the dialect of streams, 64 kcptun's, 128 with a key. */
function linkSeeds() {
  const window = Buffer.from('0001000000000400', 'hex');
  const said = (version) => [
    frameOf(version, 0, 3),
    frameOf(version, 2, 3, Buffer.from('some bytes of a stream')),
    frameOf(version, 3, 0),
    ...(version === 1 ? [] : [frameOf(version, 4, 3, window)]),
    frameOf(version, 1, 3),
  ];
  const segments = (version) => said(version).map((frame, serial) => segmentOf(serial, frame));
  const sealed = (kind, parts) => parts.map((part) => Buffer.concat([Buffer.of(kind), part]));
  const shards = segments(2).map((segment, index) => shardOf(index, segment));
  return [
    datagramsOf(16, sealed(0, [...segments(2), segmentOf(5, frameOf(2, 5, 3, Buffer.of(1)))])),
    datagramsOf(16, sealed(1, shards)),
    datagramsOf(
      16,
      [1, 2, 4, 5, 6, 3].map((type) => control(type, '0102030405060708')),
    ),
    datagramsOf(16 | 2, sealed(0, segments(2))),
    datagramsOf(64, segments(1)),
    datagramsOf(64 | 8, [
      ...segments(2).reverse(),
      segmentOf(0, Buffer.alloc(0), 82),
      segmentOf(0, Buffer.alloc(0), 83),
    ]),
    datagramsOf(64 | 8, shards),
    datagramsOf(64 | 8 | 4, [segmentOf(0, compressed(Buffer.concat(said(2))))]),
    datagramsOf(128, [Buffer.from('a80002000000000000000000000000', 'hex')]),
  ];
}

function writeSeeds(folder, seeds) {
  mkdirSync(folder, { recursive: true });
  for (const [index, seed] of seeds.entries()) writeFileSync(join(folder, `seed-${index}`), seed);
}

/** Returns the path of the tables, and the folders of seeds by fuzzer. */
export async function writeFuzzInputs(folder) {
  const [tables, openings, links] = ['tables.bin', 'corpus', 'links'].map((name) => join(folder, name));
  mkdirSync(openings, { recursive: true });
  writeFileSync(tables, Buffer.concat([...(await tablesOf('tcp')), ...(await tablesOf('udp'))]));
  const flights = readFileSync('test/cases/flights.jsonl', 'utf8').trimEnd().split('\n');
  for (const flight of flights.map((line) => JSON.parse(line))) {
    writeFileSync(join(openings, flight.id), seedOf(flight));
  }
  for (const [index, header] of headers.entries())
    writeFileSync(join(openings, `proxy-header-${index}`), Buffer.concat([HEADER, header]));
  writeFileSync(join(openings, 'proxy-header-datagram'), Buffer.concat([DATAGRAM_HEADER, datagramHeader]));
  writeSeeds(links, linkSeeds());
  return { tables, corpora: { classifier_fuzz: [openings], link_fuzz: [links] } };
}
