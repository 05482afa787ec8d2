/** unbound, asked by dig. */
import { writeFileSync } from 'node:fs';
import { type At, type LoopbackRecipe, satisfied } from './service.js';

/** `big.example` has more than fits into a datagram of 512 bytes, and into one of an Ethernet frame. */
const config = (folder: string, port: number): string => `
server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  module-config: "iterator"
  max-udp-size: 65535
  edns-buffer-size: 4096
  local-zone: "example." static
  local-data: "known.example. A 192.0.2.7"
${Array.from({ length: 12 }, (_, n) => `  local-data: 'big.example. TXT "${n}-${'x'.repeat(240)}"'`).join('\n')}
remote-control:
  control-enable: no
`;

/** One query; a datagram that is lost is sent again. */
export const dig = ({ host, port }: At, ...words: string[]): string[] => [
  'dig',
  ...[`@${host}`, '-p', `${port}`, '+time=2', '+tries=4', ...words],
];

export const dns: LoopbackRecipe = {
  name: 'DNS: unbound, dig',
  protocol: 'dns',
  tools: ['unbound', 'dig'],
  prepare: (folder, port) => writeFileSync(`${folder}/unbound.conf`, config(folder, port)),
  server: (folder) => ['unbound', '-d', '-c', `${folder}/unbound.conf`],
  async ask(at) {
    await satisfied(dig(at, 'known.example', '+short', '+notcp'), /^192\.0\.2\.7\n$/);
  },
};
