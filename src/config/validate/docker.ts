/** The section `docker`. */
import type { DockerConfig } from '../../model/config.js';
import type { Report, Warn } from '../report.js';
import type { Context } from './context.js';
import type { Shape } from './shape.js';
import { readTlsFiles, warnOfTlsFiles } from './tls-files.js';

export function resolveDocker({ docker }: Shape, context: Context, report: Report): DockerConfig | null {
  if (docker === null) return null;
  const { socket, tls, network, watch, allow_loopback: allowLoopback, state_file: stateFile = null } = docker;
  const rest = { network, watch, allowLoopback, stateFile };
  if ('socketPath' in socket) {
    if (tls !== undefined) report.problem(['docker', 'tls'], 'is for `tcp://`: leave it out');
    return { place: socket, ...rest };
  }
  const say = (name: string, said: string) => report.problem(['docker', 'tls', name], said);
  return { place: { ...socket, tls: tls === undefined ? null : readTlsFiles(tls, context, say) }, ...rest };
}

/** What is valid, and probably not intended. */
export function warnOfDocker({ docker }: Shape, context: Context, warn: Warn): void {
  if (docker?.tls === undefined) return;
  warnOfTlsFiles(docker.tls, false, context, (name, said) => warn(['docker', 'tls', name], said));
}
