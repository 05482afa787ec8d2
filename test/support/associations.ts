/** A client of UDP ASSOCIATE (RFC 1928 section 7), byte for byte. */
import { type Datagram, type DatagramPeer, datagramClient } from './datagrams.js';
import { askSocks5, type Socks5Options, socks5Request } from './proxy-clients.js';
import type { Peer } from './tcp.js';

const ASSOCIATE = 3;

/** What the relay puts before an answer, and takes before a datagram; `fragment` 0: it is whole. */
export const targetHeader = (host: string, port: number, fragment = 0): Buffer => {
  const header = socks5Request(host, port);
  header.set([0, 0, fragment]);
  return header;
};

export class Association {
  constructor(
    /** Its connection. */
    readonly control: Peer,
    readonly peer: DatagramPeer,
  ) {}

  send(to: string, data: string | Uint8Array): Promise<void> {
    const { hostname, port } = new URL(`udp://${to}`);
    const header = targetHeader(hostname.replace(/^\[|\]$/g, ''), Number(port));
    return this.peer.send(Buffer.concat([header, Buffer.from(data)]));
  }

  /** Sends, and waits for what comes next: from where, and what. */
  async ask(to: string, data: string): Promise<{ readonly from: string; readonly data: string }> {
    const { length } = this.peer.received;
    await this.send(to, data);
    return answered(await this.peer.datagram(length));
  }
}

/** Of an IPv4 target. */
export function answered({ bytes }: Datagram): { readonly from: string; readonly data: string } {
  if (bytes.readUInt32BE(0) !== 1) throw new Error(`not the header of an answer: ${bytes.toString('hex')}`);
  const from = `${bytes.subarray(4, 8).join('.')}:${bytes.readUInt16BE(8)}`;
  return { from, data: bytes.toString('latin1', 10) };
}

export interface AssociateOptions extends Pick<Socks5Options, 'user'> {
  /** What the request says of the datagrams' port; default 0: nothing. */
  readonly port?: 'own';
}

/** Asks for an association at `127.0.0.1:port`; its datagrams come from 127.0.0.1, too. */
export async function associate(
  port: number,
  { port: named, ...options }: AssociateOptions = {},
): Promise<Association> {
  const unbound = await datagramClient(0);
  const said = named === 'own' ? unbound.port : 0;
  const { tunnel, code, bound } = await askSocks5(port, '0.0.0.0', said, { ...options, command: ASSOCIATE });
  if (code !== 0) throw new Error(`the association is refused: ${code}`);
  return new Association(tunnel.client, unbound.towards(bound));
}

/** Its connection, and the code of the reply. */
export async function requestAssociation(
  port: number,
  options: Pick<Socks5Options, 'user'> = {},
): Promise<{ readonly control: Peer; readonly code: number }> {
  const { tunnel, code } = await askSocks5(port, '0.0.0.0', 0, { ...options, command: ASSOCIATE });
  return { control: tunnel.client, code };
}

/** The code of the reply. */
export async function associateCode(
  port: number,
  options: Pick<Socks5Options, 'user'> = {},
): Promise<number> {
  const { control, code } = await requestAssociation(port, options);
  control.socket.destroy();
  return code;
}
