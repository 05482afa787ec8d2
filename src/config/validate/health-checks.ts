/** Health checks that can not run as they are written: no such command, too long an answer's time, nothing of the kind to ask at a Unix socket. */
import { formatDuration } from '../../base/duration.js';
import { overOf } from '../../health/check.js';
import { checkOf } from '../../health/checks/index.js';
import { type Path, valueAt } from '../path.js';
import type { Warn } from '../report.js';
import type { UpstreamEntry } from '../schema/upstreams.js';
import type { Source } from '../source.js';
import type { Context } from './context.js';
import type { Entry } from './shape.js';

export function warnOfHealthChecks(
  upstreams: readonly Entry<UpstreamEntry>[],
  { value: file }: Source,
  context: Context,
  warn: Warn,
): void {
  for (const { path, value } of upstreams) {
    // Those of a handler are told of as a whole.
    if (value.handler !== undefined) continue;
    warnOfCommand(value, path, context, warn);
    if (valueAt(file, [...path, 'health_check', 'timeout']) !== undefined) warnOfTimeout(value, path, warn);
    warnOfUnixSocket(value, path, warn);
  }
}

/** A warning: the command may be installed later. */
function warnOfCommand(
  { health_check: check }: UpstreamEntry,
  path: Path,
  context: Context,
  warn: Warn,
): void {
  if (check === undefined || !('command' in check)) return;
  const command = String(check.command);
  const fault = context.programFault(command);
  if (fault !== null) warn([...path, 'health_check', 'command'], `can not be run: ${command}: ${fault}`);
}

/** Written, not by default. The next check waits for the answer to the last one. */
function warnOfTimeout({ health_check: check }: UpstreamEntry, path: Path, warn: Warn): void {
  if (check === undefined || check.timeout <= check.interval) return;
  const { interval, timeout, fall } = check;
  warn(
    [...path, 'health_check', 'timeout'],
    `is longer than \`interval\` (${formatDuration(interval)}): an endpoint that does not answer is down after ${fall} x ${formatDuration(timeout)}`,
  );
}

function warnOfUnixSocket(
  { health_check: check, endpoints = [] }: UpstreamEntry,
  path: Path,
  warn: Warn,
): void {
  const unix = endpoints.find(({ address: { address } }) => 'path' in address);
  if (check === undefined || unix === undefined) return;
  const { type, port, address } = check;
  const say = (key: string, message: string) => warn([...path, 'health_check', key], message);
  const name = `\`${unix.address.name}\``;
  if (address === undefined && port !== undefined)
    say(
      'port',
      `has no effect on ${name}: a unix socket has no ports; write \`address\` too to ask elsewhere`,
    );
  if (address !== undefined && port === undefined)
    say('address', `leaves no port to ask for ${name}: write \`port\` too`);
  const kind = checkOf(type);
  if (address === undefined && kind !== undefined && overOf(kind, check) === 'udp')
    say(
      'type',
      `${name} takes no datagrams, and will be down: write \`address\` and \`port\` to ask elsewhere`,
    );
}
