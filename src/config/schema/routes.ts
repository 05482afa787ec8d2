/** `routes[]`: the first route whose conditions all hold. The conditions are the table of src/routing. */
import { z } from 'zod';
import { type ConditionName, conditions } from '../../routing/conditions/index.js';
import { TARGET } from './addresses.js';
import { expecting, mapping, text } from './fields.js';

type WhenFields = {
  [Name in ConditionName]: z.ZodOptional<ReturnType<(typeof conditions)[Name]['options']>>;
};

const whenFields = Object.fromEntries(
  Object.entries(conditions).map(([name, { options }]) => [name, options(z).optional()]),
) as WhenFields;

const EXCLUDED = '{ source: "10.0.0.0/8" }';

/** Sets under one `not`. */
const EXCLUDED_MAX = 100;

const excluded = mapping(whenFields, EXCLUDED).refine((set) => Object.keys(set).length > 0, {
  error: 'an empty set excludes every session: name a condition, or leave `not` out',
  // A set of unknown keys alone is not empty.
  when: ({ issues }) => issues.length === 0,
});

const excludedSets = z
  .union(
    [
      excluded,
      z
        .array(excluded)
        .nonempty({ error: 'an empty list excludes nothing: leave `not` out' })
        .max(EXCLUDED_MAX, { error: `at most ${EXCLUDED_MAX} sets of conditions` }),
    ],
    expecting(`conditions such as \`${EXCLUDED}\`, or a list of such sets`),
  )
  .meta({
    description:
      'The route holds only where these conditions, as under `when`, do not all hold; of a list of such sets, where none does. A fact that is awaited or can not be read is so here too: [not](operations.md#not)',
    'x-values': 'conditions, or a list of sets of them',
    'x-like': 'routes[].when',
  });

export const route = mapping(
  {
    when: mapping({ ...whenFields, not: excludedSets.optional() }, '{ protocol: tls, sni: "*.example.com" }')
      .prefault({})
      .meta({
        description:
          'Conditions, all of which must hold, each for any value of its list; none, or no `when`: every session.',
      }),
    to: text(
      'Where the session goes: an upstream, or one of the [ways to end it](operations.md#ends)',
      TARGET,
    ),
  },
  '{ when: { protocol: tls }, to: reset }',
);

/** Conditions of one set, as in the file. */
export type ExcludedEntry = z.output<typeof excluded>;
export type RouteEntry = z.output<typeof route>;
