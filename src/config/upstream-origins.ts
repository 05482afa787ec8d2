/** Where the upstreams and endpoints of a Plan are said: in their own place, or in what stands for some of them. Pure. */
import { fileOfService, isRecordsName } from '../base/address.js';
import type { Origin, Origins, OriginText, UpstreamOrigin } from '../model/origins.js';
import type { PlanUpstream } from '../model/plan.js';

/** In the order of the upstreams. */
export function upstreamOrigins(upstreams: readonly PlanUpstream[], origins: Origins): UpstreamOrigin[] {
  // An upstream of the section is the one that has the name.
  const named = new Map(
    origins
      .toReversed()
      .flatMap((origin) => origin.upstreams.map((name): [string, Origin] => [name, origin])),
  );
  return upstreams.map(({ name, endpoints }) => {
    const origin = named.get(name);
    const from = origin?.from ?? null;
    return {
      name,
      from,
      endpoints: endpoints.map((endpoint) => ({
        name: endpoint.name,
        from: foundBy(endpoint.service) ?? origin?.endpoints?.[endpoint.name] ?? from,
      })),
    };
  });
}

/** Undefined: it is configured. */
function foundBy(service: string | undefined): OriginText | undefined {
  if (service === undefined) return undefined;
  const file = fileOfService(service);
  if (file !== null) return `file_sd: ${file}`;
  return isRecordsName(service) ? `dns: srv:${service}` : `etcd: service ${service}`;
}
