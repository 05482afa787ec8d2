/** sipp as both sides: ten calls, set up and ended. */
import { freePort } from '../../../../support/ports.js';
import { type LoopbackRecipe, satisfied } from './service.js';

const CALLS = 10;

export const sip: LoopbackRecipe = {
  name: 'SIP: sipp -sn uas, sipp -sn uac',
  protocol: 'sip',
  tools: ['sipp'],
  server: (_, port) => ['sipp', '-sn', 'uas', '-i', '127.0.0.1', '-p', `${port}`, '-nostdin'],
  async ask({ host, port }, folder) {
    const own = ['-i', '127.0.0.1', '-p', `${await freePort()}`, '-nostdin'];
    const calls = ['-m', `${CALLS}`, '-r', '100', '-timeout', '20s', '-timeout_error'];
    const all = new RegExp(`Successful call +\\| +\\d+ +\\| +${CALLS} `);
    await satisfied(['sipp', '-sn', 'uac', `${host}:${port}`, ...own, ...calls], all, folder);
  },
};
