/** The section `docker`. */
import { resolve } from 'node:path';
import type { DockerConfig } from '../../model/config.js';
import type { Report } from '../report.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';

export function resolveDocker(
  { docker }: Shape,
  { directory }: Context,
  report: Report,
): DockerConfig | null {
  if (docker === null) return null;
  const { socket, tls, network, watch, allow_loopback: allowLoopback, state_file: stateFile = null } = docker;
  const rest = { network, watch, allowLoopback, stateFile };
  if ('socketPath' in socket) {
    if (tls !== undefined) report.problem(['docker', 'tls'], 'is for `tcp://`: leave it out');
    return { place: socket, ...rest };
  }
  const files = Object.entries(tls ?? {}).flatMap(([key, path]) =>
    typeof path === 'string' ? [[key, resolve(directory, path)]] : [],
  );
  return { place: { ...socket, tls: tls === undefined ? null : Object.fromEntries(files) }, ...rest };
}
