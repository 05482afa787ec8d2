/** nginx stream, which identifies nothing but the name in a TLS hello: otherwise it passes on whatever comes. */
import { existsSync } from 'node:fs';
import { CONNECTIONS_MAX, NOWHERE, type Rival, type Setting } from '../contender.js';
import { nginxVersion } from '../versions.js';
import { logFile, started } from './started.js';

const MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Larger buffers carry more bytes a system call; idle and small sessions would only hold more memory. There is no splicing. */
const tunings = { messages: '', bulk: 'proxy_buffer_size 256k;', default: '' };

/** One process, which takes all connections of a turn at once. The log is written in blocks. */
const configuration = (port: number, target: number, folder: string, setting: Setting): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr crit;
load_module ${MODULE};
events { worker_connections ${2 * CONNECTIONS_MAX + 100}; multi_accept on; accept_mutex off; }
stream {
  ${setting.accessLog ? "log_format line '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time';" : ''}
  access_log ${setting.accessLog ? `${logFile(folder)} line buffer=64k flush=100ms` : 'off'};
  upstream endpoint { server 127.0.0.1:${target}; }
  upstream nowhere { server ${NOWHERE}; }
  ${setting.sni ? `map $ssl_preread_server_name $named { ${setting.sni} endpoint; default nowhere; }` : ''}
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    ${setting.refused ? `deny ${setting.refused};` : ''}
    ${setting.sni ? 'ssl_preread on;' : ''}
    ${tunings[setting.tuning]}
    proxy_timeout 1h;
    proxy_pass ${setting.sni ? '$named' : 'endpoint'};
  }
}
`;

export const nginx: Rival = {
  name: 'nginx',
  version: () => (existsSync(MODULE) ? nginxVersion() : undefined),
  packages: 'nginx and libnginx-mod-stream',
  lacks({ setting, unfinished }) {
    if (setting.listeners !== undefined || setting.operated) return 'has no such metrics';
    if ((setting.workers ?? 1) > 1) return 'is measured with one process';
    return unfinished ? 'passes on what it does not identify' : null;
  },
  start: (target, setting) =>
    started({
      name: 'nginx',
      wrapper: setting.wrapper,
      logs: setting.accessLog,
      configure: (port, folder) => configuration(port, target, folder, setting),
      command: (_port, file) => ['nginx', '-e', 'stderr', '-c', file],
    }),
};
