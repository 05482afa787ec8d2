/** The workloads. To add one, write its file and list it here. */
import { download, upload } from './bulk.js';
import { conn } from './conn.js';
import { identify } from './identify.js';
import { idle } from './idle.js';
import { kcpDownload, kcpPing } from './kcp.js';
import { ping } from './ping.js';
import { tlsSni } from './tls-sni.js';
import { udp } from './udp.js';
import type { Workload } from './workload.js';

export const workloads: readonly Workload[] = [
  conn,
  identify,
  tlsSni,
  ping,
  download,
  upload,
  idle,
  udp,
  kcpPing,
  kcpDownload,
];

/** Those that `name` stands for: its own, or all that begin with it and a hyphen (`bulk`). */
export const workloadsOf = (name: string): readonly Workload[] =>
  workloads.filter((each) => each.name === name || each.name.startsWith(`${name}-`));
