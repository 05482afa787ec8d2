/** A DNS server (UDP, RFC 1035) that answers, refuses or stays silent per name. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type DnsAnswer = readonly string[] | 'silence' | 'servfail' | 'nxdomain';

export interface DnsServer {
  /** Lower-case name → answer; others do not exist. IPv4 only. */
  readonly names: Map<string, DnsAnswer>;
  /** Names queried for IPv4 addresses, in order. */
  readonly asked: string[];
  close(): void;
}

const HEADER_BYTES = 12;
const TYPE_A = 1;
const RESPONSE = 0x8180;
const codes = { servfail: 2, nxdomain: 3 } as const;

export async function startDnsServer(address: string): Promise<DnsServer> {
  const names = new Map<string, DnsAnswer>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, end } = nameIn(query);
    const isA = query.readUInt16BE(end) === TYPE_A;
    if (isA) asked.push(name);
    const answer = names.get(name) ?? 'nxdomain';
    if (answer === 'silence') return;
    socket.send(response(query.subarray(0, end + 4), answer, isA), from.port, from.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  return { names, asked, close: () => socket.close() };
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

function response(question: Buffer, answer: Exclude<DnsAnswer, 'silence'>, isA: boolean): Buffer {
  const addresses = typeof answer === 'string' || !isA ? [] : answer;
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(RESPONSE | (typeof answer === 'string' ? codes[answer] : 0), 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...addresses.map(record)]);
}

/** Compression pointer to the question's name; TTL 60 s. */
function record(address: string): Buffer {
  const fixed = [0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4];
  return Buffer.from([...fixed, ...address.split('.').map(Number)]);
}
