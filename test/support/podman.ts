/** podman's service, which speaks the API of dockerd: with storage, networks and locks of its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientTools, type EngineProgram } from './docker.js';

export const podman: EngineProgram = {
  name: 'podman',
  tools: ['podman', '/usr/lib/cni/bridge', 'iptables', ...clientTools],
  start(folder, socketPath) {
    const at = (name: string) => join(folder, name);
    writeFileSync(at('containers.conf'), configuration(at('networks')));
    const command = [
      'podman',
      ...['--root', at('data'), '--runroot', at('run'), '--tmpdir', at('tmp'), '--storage-driver', 'overlay'],
      ...['system', 'service', '--time', '0', `unix://${socketPath}`],
    ];
    return { command, environment: { CONTAINERS_CONF: at('containers.conf') } };
  },
  networkOptions: [],
  mounted: 'data/overlay',
};

/** Its own limits of open files are more than a process that is no longer privileged may set. */
const configuration = (networks: string) => `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
[network]
network_backend = "cni"
network_config_dir = "${networks}"
`;
