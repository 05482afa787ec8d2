/** `upstreams.NAME.health_check`: the keys of every check, and those of its type (src/health/checks). */
import { z } from 'zod';
import { parseHost } from '../../../base/address.js';
import { type CheckName, checkNames, checkOf, checks } from '../../../health/checks/index.js';
import type { HealthCheckOptions } from '../../../model/upstream-options.js';
import { expectedGot } from '../../messages.js';
import { suggest } from '../../suggest.js';
import { duration, form, integer, mapping, unknownKey } from '../fields.js';

/** A literal: a name would need look-ups of its own. */
const ADDRESS = 'an address without a port such as `10.0.0.9` or `::1`';

const FAST_MS_MIN = 100;

const EXAMPLE = '{ type: tcp, interval: 5s }';

const common = {
  interval: duration('10s', 'Time between two checks', { min: '100ms', max: '24h' }),
  timeout: duration('2s', 'Time for an answer', { min: '10ms', max: '10m' }),
  rise: integer('Good answers in a row that bring an endpoint up', 1, 1000).default(2),
  fall: integer('Bad answers in a row that take it down', 1, 1000).default(3),
  fast_interval: duration('0s', 'Time between two checks while it is changing; `0s`: as `interval`', {
    min: '0s',
    max: '24h',
  }).refine((ms) => ms === 0 || ms >= FAST_MS_MIN, {
    error: `expected \`0s\`, or at least ${FAST_MS_MIN}ms`,
  }),
  jitter: integer(
    'Percent by which a wait may be shorter, at random, so that checks are spread',
    0,
    50,
  ).default(10),
  port: integer("Port to ask instead of the endpoint's", 1, 65_535).optional(),
  address: form("Address to ask instead of the endpoint's", ADDRESS, parseHost).optional(),
};

const listed = checkNames.map((name) => `\`${name}\`: it ${checks[name].words}`).join('. ');
const typeMeaning = `What is tried. ${listed}`;
const typeValues = checkNames.map((name) => `\`${name}\``).join(', ');

const typeKey = (name: CheckName) => {
  const literal = z.literal(name).meta({ description: typeMeaning, 'x-values': typeValues });
  return name === 'tcp' ? literal.optional().default(name) : literal;
};

/** The keys of its own of each type. */
const own = new Map(checkNames.map((name) => [name, checks[name].options(z) as z.ZodRawShape]));

const commonKeys = ['type', ...Object.keys(common)];

/** A key of another type says so; any other has the nearest known name. */
function wrongKey(key: string, name: CheckName): string {
  const others = checkNames.filter((other) => Object.hasOwn(own.get(other) ?? {}, key));
  const known = [...commonKeys, ...Object.keys(own.get(name) ?? {})];
  if (others.length === 0) return unknownKey(key, known);
  const owners = others.map((other) => `\`${other}\``).join(', ');
  return `unknown key \`${key}\` of a check of type \`${name}\`: it is one of ${owners}`;
}

const branches = checkNames.map((name) => {
  const keys = { type: typeKey(name), ...common, ...own.get(name) };
  return mapping(keys, EXAMPLE, (key) => wrongKey(key, name)).superRefine((options, context) => {
    const problem = checkOf(name)?.problem?.(options) ?? null;
    if (problem === null) return;
    context.issues.push({ code: 'custom', input: options, path: [...problem.path], message: problem.why });
  });
});

type Branch = (typeof branches)[number];

function unknownType({ input }: { input?: unknown }): string {
  if (typeof input !== 'object' || input === null)
    return expectedGot(`a mapping such as \`${EXAMPLE}\``, input);
  const type = (input as { type?: unknown }).type;
  if (typeof type !== 'string') return `expected the name of a check: ${typeValues}`;
  return `unknown check \`${type}\`${suggest(type, checkNames)}`;
}

export const healthCheck = z
  .discriminatedUnion('type', branches as [Branch, ...Branch[]], { error: unknownType })
  .meta({
    description: 'Looks whether an endpoint is well.',
    'x-kinds': 'type',
  }) as unknown as z.ZodType<HealthCheckOptions, Partial<HealthCheckOptions>>;
