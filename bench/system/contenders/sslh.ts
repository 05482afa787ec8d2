/** sslh with one process for all connections, identifying the same by its probes; the forking one costs a process each. */
import { existsSync } from 'node:fs';
import { IDENTIFY_SECONDS, NOWHERE, type Rival, type Setting } from '../contender.js';
import { sslhVersion } from '../versions.js';
import { started } from './started.js';

/** With libev, which version 1 does not have, before the one with select(2). */
const programOf = () => ['/usr/sbin/sslh-ev', '/usr/sbin/sslh-select'].find((path) => existsSync(path));

/** Each connection takes two of the 1,024 descriptors that select(2) has room for. */
const SELECT_CONNECTIONS_MAX = 500;

/** No line of log per connection. What matches nothing goes to the last one. */
function protocolsOf(target: string, { sni }: Setting): string {
  const to = (address: string) => {
    const [host, port] = address.split(':');
    return `host: "${host}"; port: "${port}"; log_level: 0;`;
  };
  const names = `{ name: "tls"; sni_hostnames: [ "${sni}" ]; ${to(target)} }, { name: "tls"; ${to(NOWHERE)} }`;
  const first = `{ name: "http"; ${to(target)} }, { name: "regex"; regex_patterns: [ "^\\\\*[0-9]" ]; ${to(target)} }`;
  return sni ? names : first;
}

const configuration = (port: number, target: number, setting: Setting): string => `
foreground: true;
inetd: false;
numeric: true;
timeout: ${setting.identifySeconds ?? IDENTIFY_SECONDS};
listen: ( { host: "127.0.0.1"; port: "${port}"; } );
protocols: ( ${protocolsOf(`127.0.0.1:${target}`, setting)} );
`;

export const sslh: Rival = {
  name: 'sslh',
  version: () => (programOf() === undefined ? undefined : sslhVersion()),
  packages: 'sslh',
  lacks({ setting, connections, unfinished }) {
    if (setting.listeners !== undefined || setting.operated) return 'has no metrics';
    if ((setting.workers ?? 1) > 1) return 'has one thread';
    if (setting.accessLog) return 'logs to syslog only';
    if (setting.refused) return 'refuses no networks';
    if (unfinished) return 'passes on what it does not identify';
    const isLimited = programOf()?.endsWith('select') && connections > SELECT_CONNECTIONS_MAX;
    return isLimited ? `has room for ${SELECT_CONNECTIONS_MAX} connections in its select()` : null;
  },
  start: (target, setting) =>
    started({
      name: 'sslh',
      wrapper: setting.wrapper,
      configure: (port) => configuration(port, target, setting),
      command: (_port, file) => [programOf() ?? 'sslh', `-F${file}`],
    }),
};
