/** A DNS server (RFC 1035) that answers, refuses or stays silent per name, and follows aliases as a resolver does. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';

export interface DnsService {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** Another name has the answer. */
export interface DnsAlias {
  readonly cname: string;
  /** In seconds; default: the server's. */
  readonly ttl?: number;
}

/** Addresses, or the records of a service, or where they are. */
export type DnsAnswer = readonly (string | DnsService)[] | DnsAlias | 'silence' | 'servfail' | 'nxdomain';

export interface DnsServer {
  /** Lower-case name → answer; others do not exist. */
  readonly names: Map<string, DnsAnswer>;
  /** Names whose answers do not fit into a datagram. */
  readonly long: Set<string>;
  /** Names queried for IPv4 addresses or services, in order. */
  readonly asked: string[];
  /** Time to live of the records in seconds. */
  ttl: number;
  close(): void;
}

const HEADER_BYTES = 12;
const types = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const;
const ALIASES_MAX = 8;
const RESPONSE = 0x8180;
const TRUNCATED = 0x0200;
const codes = { servfail: 2, nxdomain: 3 } as const;

export async function startDnsServer(address: string): Promise<DnsServer> {
  const names = new Map<string, DnsAnswer>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  const streams = createServer((connection) => {
    connection.on('error', () => {});
    // Queries are short and come one at a time: each is one segment, behind its length.
    connection.on('data', (bytes) => {
      const reply = replyTo(bytes.subarray(2));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply?.length ?? 0);
      if (reply !== null) connection.write(Buffer.concat([length, reply]));
    });
  });
  const close = () => {
    socket.close();
    streams.close();
  };
  const server: DnsServer = { names, long: new Set(), asked, ttl: 60, close };
  const replyTo = (query: Buffer): Buffer | null => {
    const { name, end } = nameIn(query);
    const type = query.readUInt16BE(end);
    if (type !== types.AAAA) asked.push(name);
    const found = follow(names, name, server.ttl);
    if (found.answer === 'silence') return null;
    return response(query.subarray(0, end + 4), found, found.answer, type, server.ttl);
  };
  socket.on('message', (query, from) => {
    const reply = server.long.has(nameIn(query).name) ? truncated(query) : replyTo(query);
    if (reply !== null) socket.send(reply, from.port, from.address);
  });
  socket.bind(53, address);
  streams.listen(53, address);
  await Promise.all([once(socket, 'listening'), once(streams, 'listening')]);
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

/** Nothing but the question, and that there is more. */
function truncated(query: Buffer): Buffer {
  const reply = Buffer.from(query.subarray(0, nameIn(query).end + 4));
  reply.writeUInt16BE(RESPONSE | TRUNCATED, 2);
  reply.writeUInt16BE(0, 10);
  return reply;
}

interface Found {
  /** CNAME records on the way. */
  readonly aliases: readonly Buffer[];
  readonly owner: string;
  readonly answer: Exclude<DnsAnswer, DnsAlias>;
}

function follow(names: ReadonlyMap<string, DnsAnswer>, name: string, serverTtl: number): Found {
  const aliases: Buffer[] = [];
  let owner = name;
  let answer = names.get(owner) ?? 'nxdomain';
  while (typeof answer === 'object' && 'cname' in answer) {
    if (aliases.length === ALIASES_MAX) return { aliases: [], owner, answer: 'servfail' };
    const { cname, ttl = serverTtl } = answer;
    aliases.push(record(owner, types.CNAME, ttl, labelsOf(cname)));
    owner = cname;
    answer = names.get(owner) ?? 'nxdomain';
  }
  return { aliases, owner, answer };
}

function response(
  question: Buffer,
  { aliases, owner }: Pick<Found, 'aliases' | 'owner'>,
  answer: Exclude<Found['answer'], 'silence'>,
  type: number,
  ttl: number,
): Buffer {
  const all = typeof answer === 'string' ? [] : answer;
  const records = all.filter((each) => typeOf(each) === type);
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(RESPONSE | (typeof answer === 'string' ? codes[answer] : 0), 2);
  header.writeUInt16BE(aliases.length + records.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = records.map((each) =>
    record(owner, type, ttl, typeof each === 'string' ? address(each) : service(each)),
  );
  return Buffer.concat([header, question.subarray(HEADER_BYTES), ...aliases, ...answers]);
}

function typeOf(answer: string | DnsService): number {
  if (typeof answer !== 'string') return types.SRV;
  return isIPv6(answer) ? types.AAAA : types.A;
}

function record(owner: string, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.from([0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
  fixed.writeUInt32BE(ttl, 4);
  return Buffer.concat([labelsOf(owner), fixed, data]);
}

function labelsOf(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  const parts = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...parts, Buffer.from([0])]);
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
  return Buffer.concat([fixed, labelsOf(target)]);
}
