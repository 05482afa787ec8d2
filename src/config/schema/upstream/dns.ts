/** `upstreams.NAME.dns` */
import { z } from 'zod';
import { dnsFamilies } from '../../../model/upstream-options.js';
import { choice, DURATION_PATTERN, duration, flag, section } from '../fields.js';

const refresh = "Time between two look-ups of the endpoints' names; `ttl`: when their records have run out";
const interval = duration('30s', refresh, { min: '1s', max: '24h' });

export const dns = section(
  {
    refresh: z
      .union([z.literal('ttl'), interval], { error: ({ input }) => wrong(input) })
      .prefault('30s')
      .meta({
        description: refresh,
        'x-values': 'duration, 1s to 24h, or `ttl`',
        pattern: `ttl|${DURATION_PATTERN}`,
      }),
    keep_last_good: flag(
      true,
      'A name that can not be looked up keeps its last addresses; else no new session goes there',
    ),
    family: choice(
      dnsFamilies,
      'Which addresses of names are used. `any`: both families, in the order of this machine; `ipv4`, `ipv6`: that one alone; `ipv4_first`: both',
    ).default('any'),
  },
  'How names become addresses.',
);

const wrong = (input: unknown): string =>
  `${interval.safeParse(input).error?.issues[0]?.message}, or \`ttl\``;
