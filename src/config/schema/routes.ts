/** `routes[]`: the first route whose conditions all hold. The conditions are the table of src/routing. */
import { z } from 'zod';
import { type ConditionName, conditions } from '../../routing/conditions/index.js';
import { mapping, text } from './fields.js';

type WhenFields = {
  [Name in ConditionName]: z.ZodOptional<ReturnType<(typeof conditions)[Name]['options']>>;
};

const whenFields = Object.fromEntries(
  Object.entries(conditions).map(([name, { options }]) => [name, options(z).optional()]),
) as WhenFields;

export const route = mapping(
  {
    when: mapping(whenFields, '{ protocol: tls, sni: "*.example.com" }').prefault({}).meta({
      description:
        'Conditions, all of which must hold, each for any value of its list; none, or no `when`: every session.',
    }),
    to: text('Where the session goes', 'name of an upstream, `reset`, `close` or `drop`'),
  },
  '{ when: { protocol: tls }, to: reset }',
);

export type RouteEntry = z.output<typeof route>;
