/** The commands. To add one, write its file and list it here. */
import type { Command } from 'commander';
import { addBan } from './ban.js';
import { addBench } from './bench.js';
import { addCheck } from './check.js';
import { addCluster } from './cluster.js';
import { addDocker } from './docker.js';
import { addDoctor } from './doctor.js';
import { addDrain } from './drain.js';
import { addExplain } from './explain.js';
import { addHashPassword } from './hash-password.js';
import { addIdentify } from './identify.js';
import { addKcpKey } from './kcp-key.js';
import { addProtocols } from './protocols.js';
import { addReload } from './reload.js';
import { addRun } from './run.js';
import { addSchema } from './schema.js';
import { addSessions } from './sessions.js';
import { addStatus } from './status.js';
import { addUpstream } from './upstream.js';
import { addVersion } from './version.js';

export const commands: readonly ((program: Command) => void)[] = [
  addRun,
  addStatus,
  addSessions,
  addReload,
  addDrain,
  addUpstream,
  addBan,
  addCheck,
  addDocker,
  addCluster,
  addDoctor,
  addBench,
  addIdentify,
  addExplain,
  addProtocols,
  addKcpKey,
  addHashPassword,
  addSchema,
  addVersion,
];
