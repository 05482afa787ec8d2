/**
 * Endpoints that files and etcd say now of the services that a configuration names, for commands that look at it beside the
 * daemon. Names are not looked up, SRV records neither.
 */
import { fileOfService, isRegisteredName } from '../base/address.js';
import { EtcdClient } from '../cluster/etcd/client.js';
import { readServices, servicesPrefix } from '../cluster/services.js';
import { unplaced } from '../config/report.js';
import { type Config, type DiscoveredEndpoint, type Discovery, NOTHING_DISCOVERED } from '../model/config.js';
import type { DistributedConfig } from '../model/distributed.js';
import { readTargets } from '../providers/read-targets.js';
import { type Lack, tellLack } from './aside.js';
import { SECTION_KEYS_MAX } from './cluster/section.js';

/** For etcd's answer, all members together. */
const ANSWER_MS = 2000;

type Found = readonly [service: string, endpoints: readonly DiscoveredEndpoint[]];

/** Without services when etcd does not answer. What is wrong with a file is a warning of the configuration. */
export async function servicesBeside(
  { upstreams, distributed }: Config,
  lack: Lack = tellLack,
): Promise<Discovery> {
  const addresses = upstreams.flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
  const names = new Set(addresses.flatMap((address) => ('service' in address ? [address.service] : [])));
  const found = [
    ...(await inFiles([...names])),
    ...(distributed?.discovers && [...names].some(isRegisteredName) ? await inEtcd(distributed, lack) : []),
  ];
  const services = new Map(found.map(([service, value]) => [service, { value, failing: false }]));
  return { ...NOTHING_DISCOVERED, services };
}

async function inFiles(names: readonly string[]): Promise<Found[]> {
  const read = names.map(async (service): Promise<Found[]> => {
    const path = fileOfService(service);
    const targets = path === null ? null : await readTargets(path);
    return targets !== null && 'endpoints' in targets ? [[service, targets.endpoints]] : [];
  });
  return (await Promise.all(read)).flat();
}

async function inEtcd(config: DistributedConfig, lack: Lack): Promise<Found[]> {
  const { endpoints, tls, user, prefix } = config;
  const client = new EtcdClient({ endpoints, callMs: ANSWER_MS, ...(tls && { tls }), ...(user && { user }) });
  try {
    const { items } = await client.list(servicesPrefix(prefix), SECTION_KEYS_MAX);
    const { services, faults } = readServices(items, config);
    for (const fault of faults) lack({ ...unplaced(fault), file: 'etcd' });
    return [...services].map(([service, instances]) => [service, instances.map(({ endpoint }) => endpoint)]);
  } catch (error) {
    lack(unplaced(`without services: ${(error as Error).message}`));
    return [];
  } finally {
    client.close();
  }
}
