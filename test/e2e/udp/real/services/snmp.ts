/** net-snmp's agent, and snmpget. */
import { writeFileSync } from 'node:fs';
import { type LoopbackRecipe, satisfied } from './service.js';

const SYS_NAME = '1.3.6.1.2.1.1.5.0';

export const snmp: LoopbackRecipe = {
  name: 'SNMP: snmpd, snmpget',
  protocol: 'snmp',
  tools: ['snmpd', 'snmpget'],
  prepare(folder, port) {
    const config = ['rocommunity public', 'sysname seen-by-snmpget', `agentAddress udp:127.0.0.1:${port}`];
    writeFileSync(`${folder}/snmpd.conf`, `${config.join('\n')}\n`);
  },
  server: (folder) => [
    ...['env', `SNMP_PERSISTENT_DIR=${folder}`, `SNMPCONFPATH=${folder}`, 'MIBS='],
    ...['snmpd', '-f', '-Le', '-C', '-c', `${folder}/snmpd.conf`],
  ],
  async ask({ host, port }) {
    const how = ['-m', '', '-v2c', '-c', 'public', '-On', '-t', '2', '-r', '3', `udp:${host}:${port}`];
    await satisfied(
      ['snmpget', ...how, SYS_NAME],
      /^\.1\.3\.6\.1\.2\.1\.1\.5\.0 = STRING: "?seen-by-snmpget/m,
    );
  },
};
