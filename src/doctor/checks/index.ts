/** The checks of `anyport doctor`, in the order of its table. To add one, write its file and list it here. */
import type { Check } from '../check.js';
import { acceptBacklog } from './accept-backlog.js';
import { amplifiers } from './amplifiers.js';
import { congestion } from './congestion.js';
import { conntrack } from './conntrack.js';
import { cpus } from './cpus.js';
import { drop } from './drop.js';
import { identity } from './identity.js';
import { localDelivery } from './local-delivery.js';
import { localPorts } from './local-ports.js';
import { lowPorts } from './low-ports.js';
import { memory } from './memory.js';
import { openFiles } from './open-files.js';
import { pipes } from './pipes.js';
import { addressSpace, dataSize } from './process-limits.js';
import { rpFilter } from './rp-filter.js';
import { synBacklog } from './syn-backlog.js';
import { systemFiles } from './system-files.js';
import { threads } from './threads.js';
import { transparent } from './transparent.js';
import { udpBuffers } from './udp-buffers.js';

export const checks: readonly Check[] = [
  openFiles,
  systemFiles,
  pipes,
  memory,
  addressSpace,
  dataSize,
  threads,
  cpus,
  localPorts,
  acceptBacklog,
  synBacklog,
  conntrack,
  udpBuffers,
  lowPorts,
  transparent,
  rpFilter,
  localDelivery,
  congestion,
  drop,
  identity,
  amplifiers,
];
