/** Order of test files: slow ones begin first, so that at the end of a run none keeps a core waiting. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** From 25 s on, beside two others on two cores; slowest first. The order of all others is vitest's: larger files first. */
export const slow = [
  'e2e/upgrade',
  'e2e/kcp/transfers',
  'e2e/via/chained',
  'e2e/via/tls',
  'e2e/via/proxies',
  'e2e/hangs',
  'e2e/names',
  'e2e/admission/hostile',
  'e2e/docker/real',
  'deploy/containers',
  'e2e/cluster/fragments',
  'e2e/kcp/interop',
  'plane/changing',
  'e2e/udp/identify',
  'bench/command',
  'e2e/cluster/etcd',
  'cluster/etcd-client',
  'e2e/timeouts',
  'soak/links',
  'e2e/bandwidth/order',
  'e2e/admission/caps',
  'e2e/kcp/operations',
  'e2e/admission/lists',
  'e2e/privileges',
  'e2e/postgres-tls',
  'e2e/proxy-out',
  'e2e/udp/reload',
  'e2e/docker/containers',
  'e2e/udp/metrics',
  'e2e/limits',
  'cli/main',
  'e2e/bandwidth/rates',
  'e2e/addresses',
  'e2e/reload/modules',
  'e2e/reload/files',
  'library/changing',
  'e2e/kcp/roaming',
  'e2e/check-diff',
  'e2e/facts',
  'e2e/via/odd-proxies',
  'e2e/balancing',
  'e2e/failover',
  'e2e/drain',
  'e2e/udp/real/flow-limits',
  'e2e/udp/listeners',
  'e2e/kcp/ends',
  'e2e/kcp/one-port',
  'e2e/admission/guard',
  'e2e/queue',
].map((name) => `test/${name}.test.ts`);

function rank({ moduleId }: TestSpecification): number {
  const place = slow.findIndex((each) => moduleId.endsWith(`/${each}`));
  return place < 0 ? slow.length : place;
}

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
