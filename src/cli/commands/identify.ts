/** `anyport identify`: the protocol of given bytes. */
import type { Command } from 'commander';
import { jsonLine } from '../../base/text.js';
import type { Transport } from '../../model/protocol.js';
import { identifyFlight } from '../../protocols/flight.js';
import type { Identified } from '../../protocols/identify.js';
import { columns } from '../columns.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { chunksOf, parseHex, readBytes } from '../input.js';
import { linesOf } from '../lines.js';

/** 1 MiB in base64 (1.33 MiB), and room for the other keys. */
const LINE_BYTES_MAX = 2 * 1024 * 1024;

interface IdentifyOptions {
  readonly hex?: true;
  readonly udp?: true;
  readonly json?: true;
  readonly jsonl?: true;
}

export function addIdentify(program: Command): void {
  program
    .command('identify')
    .description('say what protocol bytes are: name, verdict, bytes needed, facts')
    .argument('[file]', 'the first bytes of a session; - is standard input', '-')
    .option('--hex', 'the input is hexadecimal text')
    .option('--udp', 'the input is one datagram')
    .option('--json', 'answer as JSON')
    .option('--jsonl', 'read lines {"id","transport","segments":[base64…]}, answer a JSON line for each')
    .action(identify);
}

async function identify(file: string, { hex, udp, json, jsonl }: IdentifyOptions): Promise<void> {
  if (jsonl && hex) throw new Failure('--jsonl and --hex exclude each other', BAD_USAGE);
  if (jsonl) return identifyLines(file);
  const input = await readBytes(file);
  const identified = identifyFlight([hex ? parseHex(input.toString('latin1')) : input], udp ? 'udp' : 'tcp');
  process.stdout.write(json ? jsonLine(identified) : describe(identified));
}

function describe({ protocol, verdict, decidedAtByte, bytesNeeded, quietMs, facts }: Identified): string {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return columns([
    ['protocol', protocol ?? '-'],
    ['verdict', verdict],
    ['decided at', verdict === 'more' ? '-' : `byte ${decidedAtByte}`],
    ['bytes needed', bytesNeeded === null ? 'no more' : `${bytesNeeded} in all`],
    ...(quietMs === undefined ? [] : [['waits', `${quietMs} ms, for bytes that would make it another`]]),
    ...known.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  ]);
}

/** Invalid lines are reported on standard error; the others are still answered. */
async function identifyLines(file: string): Promise<void> {
  let number = 0;
  for await (const line of linesOf(chunksOf(file), LINE_BYTES_MAX)) {
    number++;
    const answer = 'tooLong' in line ? TOO_LONG : answerTo(line.text);
    if ('problem' in answer) complain(number, answer.problem);
    else process.stdout.write(answer.line);
  }
}

type Answer = { readonly line: string } | { readonly problem: string };

const TOO_LONG: Answer = { problem: `longer than ${LINE_BYTES_MAX} bytes` };

function answerTo(text: string): Answer {
  if (text.trim() === '') return { line: '' };
  const flight = parseFlight(text);
  if (typeof flight === 'string') return { problem: flight };
  const { protocol, decidedAtByte, facts } = identifyFlight(flight.segments, flight.transport);
  return { line: jsonLine({ id: flight.id, protocol, decidedAtByte, facts }) };
}

function complain(number: number, problem: string): void {
  process.stderr.write(`anyport: line ${number}: ${problem}\n`);
  process.exitCode = BAD_USAGE;
}

interface Flight {
  readonly id: string | number | null;
  readonly transport: Transport;
  readonly segments: readonly Buffer[];
}

/** The flight, or what is wrong with the line. */
function parseFlight(line: string): Flight | string {
  const object = parseObject(line);
  if (object === null) return 'not a JSON object';
  const { id = null, transport = 'tcp', segments } = object;
  if (typeof id !== 'string' && typeof id !== 'number' && id !== null) return 'id is neither text nor number';
  if (transport !== 'tcp' && transport !== 'udp') return 'transport is neither tcp nor udp';
  if (!Array.isArray(segments) || !segments.every(isBase64)) return 'segments is not a list of base64 texts';
  return { id, transport, segments: segments.map((segment) => Buffer.from(segment, 'base64')) };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isBase64 = (segment: unknown): segment is string =>
  typeof segment === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(segment);
