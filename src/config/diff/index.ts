/**
 * The difference between two configurations: things are compared by name, routes by content, so that an insertion is
 * one addition. Pure, and linear but for sorting.
 */
import type { Config, ProtocolConfig, UpstreamConfig } from '../../model/config.js';
import type { ProxyUserConfig } from '../../model/connect-proxy.js';
import type { Diff, DiffItem } from '../../model/diff.js';
import { endpointForm, kcpForm, listenerForm, protocolForm, upstreamForm, userForm } from './forms.js';
import { added, changed, changesOf, diffNamed, isSame, removed } from './items.js';
import { diffRoutes } from './routes.js';
import { inOrder } from './sequence.js';
import { settingsOf } from './settings.js';

export { unchangeable } from './unchangeable.js';

export function diffConfigs(before: Config, after: Config): Diff {
  return [
    ...diffSettings(before, after),
    ...diffListeners(before, after),
    ...diffProtocols(before.protocols, after.protocols),
    ...diffRoutes(before.routes, after.routes),
    ...diffUpstreams(before.upstreams, after.upstreams),
    ...diffNamed('profile', before.kcp, after.kcp, kcpForm),
    ...diffNamed('user', usersOf(before), usersOf(after), userForm),
  ];
}

const usersOf = ({ connectProxy }: Config): readonly ProxyUserConfig[] => connectProxy?.users ?? [];

function diffSettings(before: Config, after: Config): DiffItem[] {
  const earlier = settingsOf(before);
  return settingsOf(after).flatMap(({ name, value, shown }, index): DiffItem[] => {
    const was = earlier[index];
    if (isSame(was?.value, value)) return [];
    const fields = [{ key: name.split('.').slice(1).join('.'), from: was?.shown ?? null, to: shown }];
    return [{ kind: 'setting', name, upstream: null, change: 'changed', about: '', fields }];
  });
}

function diffListeners(before: Config, after: Config): DiffItem[] {
  const counts = { before: before.protocols.length, after: after.protocols.length };
  return diffNamed('listener', before.listeners, after.listeners, (listener, _, side) =>
    listenerForm(listener, counts[side]),
  );
}

/** Their order is their rank: a protocol that overtook another has changed. */
function diffProtocols(before: readonly ProtocolConfig[], after: readonly ProtocolConfig[]): DiffItem[] {
  const ranks = new Map(before.map(({ name }, index) => [name, index]));
  const stayed = after.filter(({ name }) => ranks.has(name));
  const kept = inOrder(stayed.map(({ name }) => ranks.get(name) ?? 0));
  const overtaking = new Set(stayed.filter((_, index) => !kept.has(index)).map(({ name }) => name));
  return diffNamed('protocol', before, after, (protocol, index) => {
    const form = protocolForm(protocol);
    return overtaking.has(form.name) ? { ...form, fields: { ...form.fields, rank: index + 1 } } : form;
  });
}

/** One that came or went is one item, with its endpoints; of one that stayed, each endpoint is an item. */
function diffUpstreams(before: readonly UpstreamConfig[], after: readonly UpstreamConfig[]): DiffItem[] {
  const earlier = new Map(before.map((upstream) => [upstream.name, upstream]));
  const later = new Set(after.map(({ name }) => name));
  const items = after.flatMap((upstream): DiffItem[] => {
    const was = earlier.get(upstream.name);
    if (was === undefined) return [added('upstream', upstreamForm(upstream))];
    return isSame(was, upstream) ? [] : diffUpstream(was, upstream);
  });
  const gone = before.filter(({ name }) => !later.has(name));
  return [...items, ...gone.map((upstream) => removed('upstream', upstreamForm(upstream)))];
}

function diffUpstream(was: UpstreamConfig, is: UpstreamConfig): DiffItem[] {
  const form = upstreamForm(is);
  const fields = changesOf(upstreamForm(was).fields, form.fields);
  const own = fields.length > 0 ? [changed('upstream', form, fields)] : [];
  return [...own, ...diffNamed('endpoint', was.endpoints, is.endpoints, endpointForm, is.name)];
}
