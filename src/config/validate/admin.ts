/** The control interface: whoever reaches it may end sessions and change routes. */
import { isLoopback } from '../../base/network.js';
import type { AdminConfig, ListenAddress, MonitoringConfig } from '../../model/config.js';
import { takesConnections } from '../../model/transports.js';
import type { Report, Warn } from '../report.js';
import { isForward, type ListenerGroup } from './groups.js';
import type { Shape } from './shape.js';
import { hasFile, isFixed, meet, withMode } from './sockets.js';

/** Mode of its socket's file: the owner alone. */
const MODE = 0o600;

/** What an `Authorization` header can carry. */
const TOKEN = /^[\x21-\x7e]*$/;

/** A shorter token can be guessed. */
const TOKEN_CHARACTERS_MIN = 16;

export function resolveAdmin({ admin }: Pick<Shape, 'admin'>, report: Report): AdminConfig | null {
  if (admin === null) return null;
  const [written, ...others] = admin.listen;
  if (written === undefined) return null;
  if (others.length > 0) report.problem(['admin', 'listen'], 'takes one port: write one');
  if (admin.mode !== undefined && !hasFile(written)) {
    report.problem(['admin', 'mode'], "is for a unix socket's file, such as `unix:/run/anyport.sock`");
  }
  const address = withMode(written, admin.mode ?? MODE);
  if (admin.token === '' && !isPrivate(address)) {
    const instead = 'set `admin.token`, or listen on `127.0.0.1` or a unix socket';
    report.problem(['admin', 'listen'], `\`${address.text}\` is open to other machines: ${instead}`);
  }
  if (!TOKEN.test(admin.token)) {
    report.problem(['admin', 'token'], 'has blanks or characters beyond ASCII, which no header carries');
  }
  return { address, token: admin.token, hosts: admin.hosts };
}

/** Refuses an address that a listener or monitoring has. */
export function checkAdminAddress(
  admin: AdminConfig | null,
  groups: readonly ListenerGroup[],
  monitoring: MonitoringConfig,
  report: Report,
): void {
  if (admin === null || !isFixed(admin.address)) return;
  const { address } = admin;
  for (const group of groups) {
    const taken = group.listeners.find(
      (listener) => takesConnections(listener) && isSame(listener.address, address),
    );
    if (taken === undefined) continue;
    const by = isForward(group) ? report.nameOf(group.path) : `listener \`${taken.name}\``;
    report.problem(['admin', 'listen'], `\`${address.text}\` is taken already, by ${by}`);
  }
  const sites = [monitoring.metrics, monitoring.health].flatMap((site) => (site === null ? [] : [site]));
  if (sites.some((site) => isSame(inet(site), address))) {
    const instead = 'take another one: it serves /metrics and /health too';
    report.problem(['admin', 'listen'], `\`${address.text}\` is the address of monitoring: ${instead}`);
  }
}

export function warnOfToken({ admin }: { admin: AdminConfig | null }, warn: Warn): void {
  const length = admin?.token.length ?? 0;
  if (length === 0 || length >= TOKEN_CHARACTERS_MIN) return;
  const instead = 'take a random one, such as `openssl rand -hex 16` prints';
  warn(['admin', 'token'], `has ${length} characters and can be guessed: ${instead}`);
}

const inet = ({ host, port }: { host: string; port: number }): ListenAddress => ({
  kind: 'inet',
  host,
  port,
  text: host === '::' ? `:${port}` : `${host}:${port}`,
});

function isSame(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === b.kind && a.text === b.text;
  return a.port === b.port && meet(a, b);
}

/** An abstract socket has no permissions, but only this machine (and network namespace) reaches it. */
export const isPrivate = (address: ListenAddress): boolean =>
  address.kind === 'unix' || isLoopback(address.host);
