/** `upstreams.NAME.balance` and what belongs to it. */
import { strategies, strategyNames } from '../../../upstream/balance/index.js';
import { affinityNames, hashKeyNames, keys } from '../../../upstream/key.js';
import { choice, duration } from '../fields.js';

const balances = strategyNames.map((name) => `\`${name}\`: ${strategies[name].words}`).join('. ');
const hashKeys = hashKeyNames.map((name) => `\`${name}\`: ${keys[name].words}`).join('. ');

export const balancing = {
  balance: choice(strategyNames, `Which endpoint is next. ${balances}`).default('round_robin'),
  hash_key: choice(
    hashKeyNames,
    `What \`source_hash\` and \`consistent_hash\` know a client by. ${hashKeys}. A session without it is known by its source`,
  ).default('source'),
  affinity: choice(
    affinityNames,
    'A client that had a session goes to the same endpoint again, until `server.cache_ttl` after its last one; it is known as by `hash_key`',
  ).default('off'),
  slow_start: duration(
    '0s',
    'Time in which the share of an endpoint rises that comes up, is added or resolved, or set up again; `0s`: whole at once',
    { min: '0s', max: '1h' },
  ),
} as const;
