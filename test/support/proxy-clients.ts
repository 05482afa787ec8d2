/** Clients of HTTP and SOCKS proxies, byte for byte: what they say, and what they are answered. */
import { isIPv4, isIPv6 } from 'node:net';
import { addressNumber } from '../../src/base/network.js';
import { dial, type Peer } from './tcp.js';
import { eventually } from './wait.js';

/** A CONNECT request; `headers` without the ends of their lines. */
export const connectHead = (target: string, ...headers: readonly string[]): string =>
  [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, '', ''].join('\r\n');

export const basic = (name: string, password: string): string =>
  `Proxy-Authorization: Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
  /** Of head and content. */
  readonly length: number;
}

/** Undefined: it is not all there yet. */
function parseAnswer(bytes: Buffer): HttpAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) \S/.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`not an answer: ${statusLine}`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return undefined;
  return { status: Number(status), headers, content: bytes.toString('utf8', end + 4, length), length };
}

/** The answer in what a client has received behind the first `from` bytes. */
export const answerTo = (client: Peer, from = 0): Promise<HttpAnswer> =>
  eventually('an answer to HTTP', () => {
    const answer = parseAnswer(client.received.subarray(from));
    if (answer === undefined && client.ending !== undefined)
      throw new Error(`ended (${client.ending}) after ${JSON.stringify(client.received.toString('latin1'))}`);
    return answer;
  });

/** Asks for a tunnel; resolves with the client and what it is answered. */
export async function askTunnel(
  port: number,
  target: string,
  headers: readonly string[] = [],
): Promise<{ readonly client: Peer; readonly answer: HttpAnswer }> {
  const client = await dial(port);
  client.send(connectHead(target, ...headers));
  return { client, answer: await answerTo(client) };
}

/** Only what it is answered. */
export async function statusOf(port: number, target: string, ...headers: readonly string[]): Promise<number> {
  const { client, answer } = await askTunnel(port, target, headers);
  client.socket.destroy();
  return answer.status;
}

/** A client with a tunnel. */
export interface Tunnel {
  readonly client: Peer;
  /** What has come through the tunnel. */
  readonly received: Buffer;
  /** Waits for so many bytes through the tunnel. */
  bytes(count: number): Promise<Buffer>;
}

export async function openTunnel(
  port: number,
  target: string,
  headers: readonly string[] = [],
): Promise<Tunnel> {
  const { client, answer } = await askTunnel(port, target, headers);
  if (answer.status !== 200) throw new Error(`${answer.status} for ${target}: ${answer.content}`);
  return tunnelBehind(client, answer.length);
}

/** A client whose answer has been so long. */
export const tunnelBehind = (client: Peer, length: number): Tunnel => ({
  client,
  get received() {
    return client.received.subarray(length);
  },
  bytes: async (count) => (await client.bytes(length + count)).subarray(length),
});

const two = (number: number): Buffer => Buffer.from([number >> 8, number & 0xff]);

/** RFC 1928 section 3. */
export const socks5Greeting = (...methods: readonly number[]): Buffer =>
  Buffer.from([5, methods.length, ...methods]);

/** RFC 1929 section 2. */
export function socks5Login(name: string | Uint8Array, password: string | Uint8Array): Buffer {
  const [user, secret] = [Buffer.from(name), Buffer.from(password)];
  return Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([secret.length]), secret]);
}

/** Address type and address (RFC 1928 section 5). */
function socks5Host(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([1, ...host.split('.').map(Number)]);
  if (!isIPv6(host)) return Buffer.from([3, host.length, ...Buffer.from(host)]);
  const digits = addressNumber(host, 'ipv6').toString(16).padStart(32, '0');
  return Buffer.concat([Buffer.from([4]), Buffer.from(digits, 'hex')]);
}

/** RFC 1928 section 4; `command` 1: CONNECT. */
export const socks5Request = (host: string, port: number, command = 1): Buffer =>
  Buffer.concat([Buffer.from([5, command, 0]), socks5Host(host), two(port)]);

/** SOCKS 4; 4a where `host` is a name. */
export function socks4Request(host: string, port: number, command = 1, user = 'somebody'): Buffer {
  const isAddress = isIPv4(host);
  const address = isAddress ? host.split('.').map(Number) : [0, 0, 0, 1];
  const name = isAddress ? Buffer.alloc(0) : Buffer.from(`${host}\0`);
  return Buffer.concat([
    Buffer.from([4, command]),
    two(port),
    Buffer.from(address),
    Buffer.from(`${user}\0`),
    name,
  ]);
}

/** Of a reply whose bound address is of IPv4, as all of ours are. */
export const SOCKS5_REPLY_BYTES = 10;
export const SOCKS4_REPLY_BYTES = 8;

export interface Socks5Options {
  /** Name and password. */
  readonly user?: readonly [name: string, password: string];
  readonly command?: number;
}

export interface Socks5Answer {
  readonly tunnel: Tunnel;
  readonly code: number;
  /** The proxy's end: of an association, its relay. */
  readonly bound: { readonly host: string; readonly port: number };
}

/** Says what SOCKS 5 asks for step by step; resolves with the code of the reply to the request. */
export async function askSocks5(
  port: number,
  host: string,
  hostPort: number,
  { user, command = 1 }: Socks5Options = {},
): Promise<Socks5Answer> {
  const client = await dial(port);
  client.send(socks5Greeting(user === undefined ? 0 : 2));
  let at = 2;
  const method = (await client.bytes(at))[1];
  if (user !== undefined && method === 2) {
    client.send(socks5Login(...user));
    at += 2;
    await client.bytes(at);
  }
  client.send(socks5Request(host, hostPort, command));
  const reply = (await client.bytes(at + SOCKS5_REPLY_BYTES)).subarray(at);
  if (reply[0] !== 5) throw new Error(`not a reply: ${reply.toString('hex')}`);
  const bound = { host: reply.subarray(4, 8).join('.'), port: reply.readUInt16BE(8) };
  return { tunnel: tunnelBehind(client, at + SOCKS5_REPLY_BYTES), code: reply[1] ?? -1, bound };
}

/** Resolves with the code of the reply. */
export async function askSocks4(
  port: number,
  host: string,
  hostPort: number,
  command = 1,
): Promise<{ readonly tunnel: Tunnel; readonly code: number }> {
  const client = await dial(port);
  client.send(socks4Request(host, hostPort, command));
  const reply = await client.bytes(SOCKS4_REPLY_BYTES);
  return { tunnel: tunnelBehind(client, SOCKS4_REPLY_BYTES), code: reply[1] ?? -1 };
}
