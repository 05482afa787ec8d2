/** The services, as this node would use them. */
import { readServices, servicesPrefix } from '../../cluster/services.js';
import type { Section } from './section.js';

export const services: Section = {
  name: 'services',
  prefixOf: ({ prefix, discovers }) => (discovers ? servicesPrefix(prefix) : null),
  show(items, config) {
    const read = readServices(items, config);
    const instances = [...read.services.values()].flat();
    const metaText = (meta: Readonly<Record<string, string>>) =>
      Object.entries(meta)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ');
    return {
      json: instances.map(({ service, name, endpoint, meta }) => ({
        ...{ service, instance: name, address: endpoint.name, weight: endpoint.weight, meta },
      })),
      table: [
        ['SERVICE', 'INSTANCE', 'ENDPOINT', 'WEIGHT', 'META'],
        ...instances.map(({ service, name, endpoint, meta }) => [
          ...[service, name, endpoint.name, String(endpoint.weight)],
          metaText(meta) || '-',
        ]),
      ],
      none: 'no service is registered',
      leftOut: read.faults,
    };
  },
};
