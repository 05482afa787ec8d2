/** WireGuard in user space (wireguard-go), for not every kernel has it; set up by wireguard-tools. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Ends, type TunnelRecipe, untilRuns } from './tunnel.js';

const PORT = 51_820;
const inside = { server: '10.254.1.1', client: '10.254.1.2' } as const;

type Side = keyof typeof inside;

/** Its control socket has the name, in a folder for all namespaces. */
const device = (side: Side): string => `wg${process.pid % 1_000_000}${side[0]}`;

const wg = (input: string, ...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync('wg', words, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`wg ${words.join(' ')}: ${stderr}`);
  return stdout;
};

const configFile = ({ folder }: Ends, side: Side): string => `${folder}/${side}.conf`;

async function bringUp(ends: Ends, side: Side, config: string): Promise<void> {
  const name = device(side);
  writeFileSync(configFile(ends, side), config, { mode: 0o600 });
  await untilRuns(`the device ${name}`, () => ends[side].run('wg', 'setconf', name, configFile(ends, side)));
  await ends[side].run('ip', 'address', 'add', `${inside[side]}/24`, 'dev', name);
  await ends[side].run('ip', 'link', 'set', name, 'up');
}

const keyFile = ({ folder }: Ends, side: Side): string => `${folder}/${side}.key`;
const keyOf = (ends: Ends, side: Side): string => readFileSync(keyFile(ends, side), 'utf8');

/** As `wg setconf` takes it. */
function configOf(ends: Ends, side: Side, ofInterface: string, ofPeer: string): string {
  const peer = side === 'server' ? 'client' : 'server';
  return `[Interface]
PrivateKey = ${keyOf(ends, side)}${ofInterface}
[Peer]
PublicKey = ${wg(keyOf(ends, peer), 'pubkey')}AllowedIPs = ${inside[peer]}/32
${ofPeer}
`;
}

export const wireguard: TunnelRecipe = {
  name: 'WireGuard: wireguard-go at both ends',
  protocol: 'wireguard',
  tools: ['wireguard-go', 'wg'],
  port: PORT,
  inside: inside.server,
  prepare(ends) {
    for (const side of ['server', 'client'] as const)
      writeFileSync(keyFile(ends, side), wg('', 'genkey'), { mode: 0o600 });
  },
  server: () => ['wireguard-go', '--foreground', device('server')],
  serverRuns: (ends) => bringUp(ends, 'server', configOf(ends, 'server', `ListenPort = ${PORT}`, '')),
  client: () => ['wireguard-go', '--foreground', device('client')],
  clientRuns: (ends, { host, port }) =>
    bringUp(ends, 'client', configOf(ends, 'client', '', `Endpoint = ${host}:${port}`)),
};
