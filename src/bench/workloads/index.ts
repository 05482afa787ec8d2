/** The workloads. To add one, write its file and list it here. */
import { download, upload } from './bulk.js';
import { conn } from './conn.js';
import { identify } from './identify.js';
import { idle } from './idle.js';
import { ping } from './ping.js';
import { tlsSni } from './tls-sni.js';
import type { Workload } from './workload.js';

export const workloads: readonly Workload[] = [conn, identify, tlsSni, ping, download, upload, idle];

/** Those that `name` stands for: its own, or all that begin with it and a hyphen (`bulk`). */
export const workloadsOf = (name: string): readonly Workload[] =>
  workloads.filter((each) => each.name === name || each.name.startsWith(`${name}-`));
