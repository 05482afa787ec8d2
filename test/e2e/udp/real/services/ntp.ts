/** chrony as a server, and as a client that only says how wrong the clock is. */
import { writeFileSync } from 'node:fs';
import { type LoopbackRecipe, satisfied } from './service.js';

/** Touches no clock, and has no control socket. */
const quiet = (pid: string): string[] => ['cmdport 0', 'bindcmdaddress /', `pidfile ${pid}`];

export const ntp: LoopbackRecipe = {
  name: 'NTP: chronyd, chronyd -Q',
  protocol: 'ntp',
  tools: ['chronyd'],
  prepare(folder, port) {
    const config = ['local stratum 8', 'allow all', `port ${port}`, 'bindaddress 127.0.0.1'];
    writeFileSync(`${folder}/chrony.conf`, `${[...config, ...quiet(`${folder}/pid`)].join('\n')}\n`);
  },
  server: (folder) => ['chronyd', '-d', '-x', '-u', 'root', '-f', `${folder}/chrony.conf`],
  async ask({ host, port }, folder) {
    const source = `server ${host} port ${port} iburst maxsamples 1`;
    const how = ['-Q', '-x', '-u', 'root', '-t', '10', '-f', '/dev/null'];
    await satisfied(['chronyd', ...how, source, ...quiet(`${folder}/client-pid`)], /System clock wrong by/);
  },
};
