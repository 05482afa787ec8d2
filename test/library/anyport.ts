/** The built library as its users import it, and clients of it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import type * as Library from '../../src/index.js';
import type { Anyport, AnyportOptions, Handler, InstanceOptions, LogLine } from '../../src/index.js';

const dist = new URL('../../dist/index.js', import.meta.url).href;
export const anyport = (await import(dist)) as typeof Library;

export const host = '127.0.0.1';
/** Any free port. */
export const ANY = `${host}:0`;

export const says =
  (text: string): Handler =>
  (socket) =>
    void socket.end(text);

export const echoes: Handler = (socket) => void socket.on('error', () => {}).pipe(socket);

const open: Anyport[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((plex) => plex.close({ drain: 0 })));
});

/** Closed after the test. */
export function create(options: AnyportOptions & InstanceOptions = {}): Anyport {
  const plex = anyport.createAnyport(options);
  open.push(plex);
  return plex;
}

/** Log lines of an instance. */
export function collector() {
  const lines: LogLine[] = [];
  const said = (msg: string) => lines.filter((line) => line.msg.includes(msg));
  return { lines, said, logger: (line: LogLine) => void lines.push(line) };
}

/** What comes back for these bytes until the connection ends; a code where it ends with an error. */
export async function ask(plex: Anyport, bytes: string | Uint8Array): Promise<string> {
  const socket = connect({ port: plex.address?.port ?? 0, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const failed = once(socket, 'error').then(([error]) => (error as NodeJS.ErrnoException).code ?? '');
  const closed = once(socket, 'close').then(() => Buffer.concat(chunks).toString());
  socket.write(bytes);
  return Promise.race([closed, failed]);
}

export const HTTP = 'GET / HTTP/1.1\r\nhost: a.example\r\n\r\n';
export const REDIS = '*1\r\n$4\r\nPING\r\n';
export const SSH = 'SSH-2.0-client\r\n';
export const CUSTOM = Uint8Array.of(0xaa, 0x55, 1);
