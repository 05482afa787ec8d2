/** Proxies that are spoken to in TLS: haproxy in front of another one, and one of the test's own that ends as it is told. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Identity } from './authority.js';
import { freePort } from './ports.js';
import { RealServer } from './real-servers.js';
import { eventually } from './wait.js';

/** haproxy, which speaks TLS for the proxy at this port. */
export const startTlsFront = ({ cert, key }: Identity, behind: number): Promise<RealServer> =>
  RealServer.start({
    tools: ['haproxy'],
    prepare(folder, port) {
      writeFileSync(`${folder}/both.pem`, cert + key);
      const lines = [
        ...['defaults', ' mode tcp', ' timeout connect 5s', ' timeout client 60s', ' timeout server 60s'],
        ...['frontend front', ` bind 127.0.0.1:${port} ssl crt ${folder}/both.pem`, ' default_backend back'],
        ...['backend back', ` server proxy 127.0.0.1:${behind}`],
      ];
      writeFileSync(`${folder}/haproxy.cfg`, `${lines.join('\n')}\n`);
    },
    command: (folder) => ['haproxy', '-f', `${folder}/haproxy.cfg`],
  });

/** A client's tunnel, answered with 200: the test is its endpoint. */
export interface Tunnel {
  readonly secure: TLSSocket;
  /** The connection below. */
  readonly raw: Socket;
  readonly target: string;
  /** Bytes behind the head. */
  received(): Buffer;
  /** `end`: close_notify; `close`: the connection's end without it. Undefined while open. */
  ending(): 'end' | 'close' | 'reset' | undefined;
}

export interface TlsProxy {
  readonly port: number;
  readonly tunnels: readonly Tunnel[];
  tunnel(n: number): Promise<Tunnel>;
  stop(): Promise<void>;
}

/** Answers each CONNECT with 200. */
export async function startTlsProxy(identity: Identity, options: TlsOptions = {}): Promise<TlsProxy> {
  const tunnels: Tunnel[] = [];
  const raws = new Set<Socket>();
  const port = await freePort();
  const server = createServer({ ...identity, allowHalfOpen: true, ...options }, (secure) =>
    serve(secure, tunnels, raws),
  );
  server.on('connection', (raw: Socket) => raws.add(raw.on('close', () => raws.delete(raw))));
  server.on('tlsClientError', () => {});
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port,
    tunnels,
    tunnel: (n) => eventually(`tunnel ${n}`, () => tunnels[n]),
    async stop() {
      server.close();
      for (const raw of raws) raw.destroy();
      await once(server, 'close');
    },
  };
}

function serve(secure: TLSSocket, tunnels: Tunnel[], raws: ReadonlySet<Socket>): void {
  let head = '';
  const chunks: Buffer[] = [];
  let ending: ReturnType<Tunnel['ending']>;
  secure.on('end', () => {
    ending ??= 'end';
  });
  secure.on('error', (error: NodeJS.ErrnoException) => {
    ending ??= error.code === 'ECONNRESET' ? 'reset' : 'close';
  });
  secure.on('close', () => {
    ending ??= 'close';
  });
  secure.on('data', (chunk) => {
    if (tunnels.some((each) => each.secure === secure)) return chunks.push(chunk);
    head += chunk.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    chunks.push(Buffer.from(head.slice(end + 4), 'latin1'));
    const raw = [...raws].find(({ remotePort }) => remotePort === secure.remotePort) as Socket;
    const target = head.split(' ')[1] ?? '';
    tunnels.push({ secure, raw, target, received: () => Buffer.concat(chunks), ending: () => ending });
    secure.write('HTTP/1.1 200 OK\r\n\r\n');
  });
}
