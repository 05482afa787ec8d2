/** The kinds of provider, and all of them as one. To add a kind: write its file and add it to this list. */
import type { Discovery, UpstreamConfig } from '../model/config.js';
import { dns } from './dns.js';
import { files } from './files.js';
import type { Provider, ProviderKind, Surroundings } from './provider.js';
import { registered } from './registered.js';

const kinds: readonly ProviderKind[] = [dns, registered, files];

export function createProvider(upstreams: readonly UpstreamConfig[], around: Surroundings): Provider {
  return joined(kinds.map((kind) => kind(upstreams, around)));
}

/** Merges the Discoveries of all providers; for a name known to several, the last provider wins. */
export function joined(providers: readonly Provider[]): Provider {
  const found: (Discovery | undefined)[] = [];
  const together = (): Discovery => ({
    hosts: new Map(found.flatMap((discovery) => [...(discovery?.hosts ?? [])])),
    services: new Map(found.flatMap((discovery) => [...(discovery?.services ?? [])])),
  });
  return {
    async start(onChange) {
      // Changes are reported only after all providers have started.
      let tell = () => {};
      const first = providers.map(async (provider, index) => {
        const discovery = await provider.start((changed) => {
          found[index] = changed;
          tell();
        });
        found[index] ??= discovery;
      });
      await Promise.all(first);
      tell = () => onChange(together());
      return together();
    },
    async include(upstreams) {
      await Promise.all(
        providers.map(async (provider, index) => {
          found[index] = await provider.include(upstreams);
        }),
      );
      return together();
    },
    retain(upstreams) {
      for (const provider of providers) provider.retain(upstreams);
    },
    stop() {
      for (const provider of providers) provider.stop();
    },
  };
}
