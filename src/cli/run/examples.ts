/** Example commands for the demonstration. */
import { ADMIN_ADDRESS } from '../../model/config.js';
import type { AddressText } from '../../model/session.js';

const UNIX = 'unix:';

/** Examples for the listening address `address`. */
export function examplesFor(address: AddressText): string[] {
  if (address.startsWith(UNIX)) return unixExamples(address.slice(UNIX.length));
  const colon = address.lastIndexOf(':');
  const [host, port] = [address.slice(0, colon), address.slice(colon + 1)];
  const isEvery = host === '0.0.0.0' || host === '[::]';
  const reached = isEvery ? '127.0.0.1' : host;
  const redisHost = reached === '127.0.0.1' ? '' : `-h ${reached.replace(/[[\]]/g, '')} `;
  return [`curl http://${reached}:${port}/`, `redis-cli ${redisHost}-p ${port} ping`];
}

/** redis-cli can not connect to abstract sockets. */
function unixExamples(path: string): string[] {
  if (path.startsWith('@')) return [`curl --abstract-unix-socket ${path.slice(1)} http://localhost/`];
  return [`curl --unix-socket ${path} http://localhost/`, `redis-cli -s ${path} ping`];
}

/** Examples for the control interface; none without one. */
export function controlExamples(address: AddressText | null): string[] {
  if (address === null) return [];
  const command = `anyport status${address === ADMIN_ADDRESS ? '' : ` --admin ${address}`}`;
  if (address.startsWith(UNIX)) return [command];
  return [`curl http://${address}/metrics`, command];
}
