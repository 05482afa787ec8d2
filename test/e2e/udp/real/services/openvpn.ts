/** OpenVPN over UDP, each side with a certificate whose fingerprint the other knows. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { makeCertificate } from '../../../../support/real-servers.js';
import type { Ends, TunnelRecipe } from './tunnel.js';

const PORT = 1194;
const inside = { server: '10.254.2.1', client: '10.254.2.2' } as const;

type Side = keyof typeof inside;

const other = { server: 'client', client: 'server' } as const;

const fingerprint = (file: string): string =>
  execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-in', file], { encoding: 'utf8' })
    .trim()
    .replace(/^.*=/, '');

const command = ({ folder }: Ends, side: Side, ...more: string[]): string[] => [
  'openvpn',
  ...['--dev', 'tun', '--proto', 'udp', '--ifconfig', inside[side], inside[other[side]], '--verb', '3'],
  ...['--key', `${folder}/${side}/key.pem`, '--cert', `${folder}/${side}/cert.pem`],
  ...['--peer-fingerprint', fingerprint(`${folder}/${other[side]}/cert.pem`), ...more],
];

export const openvpn: TunnelRecipe = {
  name: 'OpenVPN: openvpn at both ends',
  protocol: 'openvpn',
  tools: ['openvpn', 'openssl'],
  port: PORT,
  inside: inside.server,
  async prepare({ folder }) {
    for (const side of ['server', 'client'] as const) {
      mkdirSync(`${folder}/${side}`);
      await makeCertificate(`${folder}/${side}`, side, 3);
    }
  },
  // A client that comes again, from elsewhere, is let in.
  server: (ends) => command(ends, 'server', '--tls-server', '--dh', 'none', '--lport', `${PORT}`, '--float'),
  client: (ends, { host, port }) =>
    command(ends, 'client', '--tls-client', '--nobind', '--remote', host, `${port}`),
};
