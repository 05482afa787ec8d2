/** Transparent mode: a rule that leads to a table in which every address is local, so that answers are delivered here. */
import type { Check, Finding } from '../check.js';
import type { Machine } from '../machine.js';
import { type Family, transparentFamilies } from '../transparent-families.js';

export const localDelivery: Check = {
  name: 'local_delivery',
  examine: ({ config, machine }) => transparentFamilies(config).map((family) => findingOf(family, machine)),
};

function findingOf(family: Family, machine: Machine): Finding {
  const finding = {
    what: `rules for IPv${family} answers`,
    needed: 'a rule to a table with a local default',
  };
  const rules = asList(machine.run('ip', `-${family}`, '-j', 'rule', 'show'));
  if (rules === null) return { ...finding, verdict: 'unknown', there: '`ip rule` gives no answer' };
  const marked = rules.filter((rule) => 'fwmark' in rule || 'iif' in rule);
  const leading = marked.find(({ table }) => isLocal(family, String(table), machine));
  if (leading) return { ...finding, verdict: 'ok', there: `table ${leading.table}` };
  return {
    ...finding,
    verdict: 'short',
    there: marked.length === 0 ? 'no rule by mark or interface' : 'their tables have none',
    why: 'answers of endpoints are routed away, and every connect times out',
    remedies: commandsFor(family),
  };
}

/** All of them (docs/operations.md). */
function commandsFor(family: Family): string[] {
  const [tables, every] = family === 4 ? ['iptables ', '0.0.0.0/0'] : ['ip6tables', '::/0'];
  return [
    `${tables} -t mangle -A PREROUTING -p tcp -m socket --transparent -j MARK --set-mark 1`,
    `ip -${family} rule add fwmark 1 lookup 100  # all three`,
    `ip -${family} route add local ${every} dev lo table 100`,
  ];
}

function isLocal(family: Family, table: string, machine: Machine): boolean {
  const routes = asList(machine.run('ip', `-${family}`, '-j', 'route', 'show', 'table', table)) ?? [];
  return routes.some(({ type, dst }) => type === 'local' && dst === 'default');
}

/** Output of `ip -j`; null: none. */
function asList(text: string | null): Record<string, unknown>[] | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '[]' : text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
