/** What clients of some protocols open with, whole: each is decided by its bytes alone, and none is the beginning of another. */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

const text = (words: string): Buffer => Buffer.from(words, 'latin1');
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

export const httpOpening = (host: string): Buffer =>
  text(`GET /index.html HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);

/** Protocol → its opening. */
export const openings: Readonly<Record<string, Buffer>> = {
  http: httpOpening('bench.example.com'),
  ssh: text('SSH-2.0-OpenSSH_9.6\r\n'),
  redis: text('*1\r\n$4\r\nPING\r\n'),
  // CONNECT of client `bench-client-1`, MQTT 3.1.1
  mqtt: hex(`10 1a 0004 4d515454 04 02 003c 000e ${text('bench-client-1').toString('hex')}`),
  // StartupMessage, protocol 3.0, user and database `bench`
  postgres: Buffer.concat([hex('00000024 00030000'), text('user\0bench\0database\0bench\0\0')]),
  amqp: hex('414d5150 00 00 09 01'),
  // No authentication
  socks5: hex('05 01 00'),
  // X.224 connection request with a negotiation request for TLS
  rdp: hex('03 00 0013 0e e0 0000 0000 00 01 00 0800 03000000'),
  rtsp: text('OPTIONS rtsp://bench.example.com/stream RTSP/1.0\r\nCSeq: 1\r\n\r\n'),
  stomp: text('CONNECT\naccept-version:1.2\nhost:bench.example.com\n\n\0'),
  // Anonymous simple bind
  ldap: hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00'),
  bittorrent: Buffer.concat([
    text('\x13BitTorrent protocol'),
    Buffer.alloc(8),
    Buffer.alloc(40, 'bench-peer'),
  ]),
};

/** The ClientHello of this Node for a host, with ALPN. */
export function clientHello(host: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, written) {
        resolve(bytes);
        written();
      },
    });
    const client = connect({ socket: wire, servername: host, ALPNProtocols: ['h2', 'http/1.1'] });
    client.on('error', () => {}); // it is not answered
  });
}
