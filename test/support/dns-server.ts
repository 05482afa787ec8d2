/** A DNS server (UDP, RFC 1035) that answers, refuses or stays silent per name. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

export interface DnsService {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** Addresses, or the records of a service. */
export type DnsAnswer = readonly (string | DnsService)[] | 'silence' | 'servfail' | 'nxdomain';

export interface DnsServer {
  /** Lower-case name → answer; others do not exist. */
  readonly names: Map<string, DnsAnswer>;
  /** Names queried for IPv4 addresses or services, in order. */
  readonly asked: string[];
  /** Time to live of the records in seconds. */
  ttl: number;
  close(): void;
}

const HEADER_BYTES = 12;
const types = { A: 1, AAAA: 28, SRV: 33 } as const;
const RESPONSE = 0x8180;
const codes = { servfail: 2, nxdomain: 3 } as const;

export async function startDnsServer(address: string): Promise<DnsServer> {
  const names = new Map<string, DnsAnswer>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  const server: DnsServer = { names, asked, ttl: 60, close: () => socket.close() };
  socket.on('message', (query, from) => {
    const { name, end } = nameIn(query);
    const type = query.readUInt16BE(end);
    if (type !== types.AAAA) asked.push(name);
    const answer = names.get(name) ?? 'nxdomain';
    if (answer === 'silence') return;
    socket.send(response(query.subarray(0, end + 4), answer, type, server.ttl), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  return server;
}

function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function response(
  question: Buffer,
  answer: Exclude<DnsAnswer, 'silence'>,
  type: number,
  ttl: number,
): Buffer {
  const all = typeof answer === 'string' ? [] : answer;
  const records = all.filter((each) => typeOf(each) === type);
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(RESPONSE | (typeof answer === 'string' ? codes[answer] : 0), 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = records.map((each) =>
    record(type, ttl, typeof each === 'string' ? address(each) : service(each)),
  );
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...answers]);
}

function typeOf(answer: string | DnsService): number {
  if (typeof answer !== 'string') return types.SRV;
  return isIPv6(answer) ? types.AAAA : types.A;
}

/** Begins with a compression pointer to the question's name. */
function record(type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
  fixed.writeUInt32BE(ttl, 6);
  return Buffer.concat([fixed, data]);
}

/** IPv6 without `::` in its middle, or `::1`. */
function address(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const groups =
    text === '::1' ? [0, 0, 0, 0, 0, 0, 0, 1] : text.split(':').map((each) => Number.parseInt(each, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

function service({ target, port, priority = 0, weight = 1 }: DnsService): Buffer {
  const fixed = Buffer.alloc(6);
  fixed.writeUInt16BE(priority, 0);
  fixed.writeUInt16BE(weight, 2);
  fixed.writeUInt16BE(port, 4);
  const labels = target.split('.').filter(Boolean);
  return Buffer.concat([
    fixed,
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}
