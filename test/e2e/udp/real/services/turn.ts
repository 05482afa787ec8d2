/** coturn, used by two clients that talk to each other through it (turnutils_uclient), over UDP, TCP or DTLS. */
import { makeCertificate } from '../../../../support/real-servers.js';
import { type At, type LoopbackRecipe, satisfied } from './service.js';

const server = (folder: string, port: number, ...more: string[]): string[] => [
  'turnserver',
  ...['-n', '--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--allow-loopback-peers', '--no-cli'],
  ...['--lt-cred-mech', '--user', 'somebody:secret', '--realm', 'example.org', '--relay-threads', '1'],
  ...['--listening-port', `${port}`, '--log-file', 'stdout', '--pidfile', `${folder}/pid`],
  ...['--userdb', `${folder}/turndb`, ...more],
];

/** Allocates, binds channels, and sends to and fro: all must arrive. */
export async function talk({ host, port }: At, ...how: ('-t' | '-S')[]): Promise<void> {
  const who = ['-u', 'somebody', '-w', 'secret', '-p', `${port}`];
  // To each other, without RTCP, five messages each of 800 bytes, 5 ms apart.
  const what = ['-y', '-c', '-m', '1', '-n', '5', '-l', '800', '-z', '5'];
  const all = /tot_send_msgs=10, tot_recv_msgs=10\n[\s\S]*Total lost packets 0 /;
  await satisfied(['turnutils_uclient', ...how, ...who, ...what, host], all);
}

export const turn: LoopbackRecipe = {
  name: 'TURN: coturn, turnutils_uclient',
  protocol: 'stun',
  tools: ['turnserver', 'turnutils_uclient'],
  server: (folder, port) => server(folder, port, '--no-tls', '--no-dtls'),
  ask: (at) => talk(at),
};

export const turnOverDtls: LoopbackRecipe = {
  name: 'DTLS: coturn, turnutils_uclient',
  protocol: 'dtls',
  tools: ['turnserver', 'turnutils_uclient', 'openssl'],
  prepare: (folder) => makeCertificate(folder, 'turn.example.org', 3),
  server: (folder, port) => [
    ...server(folder, port === 65_535 ? port - 1 : port + 1),
    ...['--tls-listening-port', `${port}`, '--cert', `${folder}/cert.pem`, '--pkey', `${folder}/key.pem`],
  ],
  ask: (at) => talk(at, '-S'),
};
