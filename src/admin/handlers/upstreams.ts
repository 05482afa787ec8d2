/** `upstreams`: their endpoints, and the weight and state that an operator gives them. */
import { type EndpointOverride, endpointStates, weightLimits } from '../../model/overrides.js';
import { json, refusal } from '../answer.js';
import type { Operations, UpstreamStatus } from '../control.js';
import type { Route } from '../router.js';
import { choice, flag, integer, list, object, orNull, text } from '../schema.js';
import { ref } from '../schemas.js';
import { changeAnswer, changeErrors } from './changes.js';

const weight = {
  ...integer('Its share, 0: no new session; null: as configured'),
  minimum: weightLimits.min,
  maximum: weightLimits.max,
};

const change = object(
  {
    weight: orNull(weight),
    state: choice(endpointStates, '`drain`: no new sessions; `down`: none, and reported as down'),
  },
  { optional: ['weight', 'state'], minProperties: 1 },
);

const NAME = 'Name of an upstream';

export const upstreamRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/upstreams',
    id: 'listUpstreams',
    summary: 'Upstreams and their endpoints: addresses, weight, state, sessions',
    answers: {
      200: {
        words: 'In the order of the configuration.',
        schema: object({ upstreams: list(ref('Upstream')) }),
      },
    },
    handle: (_, operations) => json(200, { upstreams: operations.upstreams() }),
  },
  {
    method: 'GET',
    path: '/api/v1/upstreams/{name}',
    id: 'getUpstream',
    summary: 'One upstream',
    params: { name: NAME },
    answers: { 200: { words: 'The upstream.', schema: ref('Upstream') } },
    errors: ['not_found'],
    handle({ params }, operations) {
      const upstream = find(params.name, operations);
      return upstream === undefined ? noUpstream(params.name) : json(200, upstream);
    },
  },
  {
    method: 'PATCH',
    path: '/api/v1/upstreams/{name}/endpoints/{endpoint}',
    id: 'setEndpoint',
    summary: "Sets an endpoint's weight or state",
    description:
      'New sessions go to endpoints that are `up`; those that an endpoint has go on. It lasts until it is set back ' +
      '(`up`, null) or until a restart; reloads keep it while the endpoint is configured.',
    params: { name: NAME, endpoint: 'Address as configured, percent-encoded' },
    body: { words: 'What to set.', schema: change },
    answers: {
      200: {
        words: 'The endpoint.',
        schema: object({ upstream: text(), endpoint: ref('Endpoint'), persisted: flag('Always false') }),
      },
    },
    errors: ['not_found', 'invalid', ...changeErrors],
    async handle({ params: { name = '', endpoint = '' }, body }, operations) {
      const result = await operations.overrideEndpoint(name, endpoint, body as Partial<EndpointOverride>);
      if (result !== null && result.result !== 'applied') return changeAnswer(result, false);
      const upstream = find(name, operations);
      const changed = upstream?.endpoints.find((each) => each.name === endpoint);
      if (upstream === undefined) return noUpstream(name);
      if (changed === undefined) return refusal('not_found', noEndpoint(upstream, endpoint));
      return json(200, { upstream: name, endpoint: changed, persisted: false });
    },
  },
];

const find = (name: string | undefined, operations: Operations): UpstreamStatus | undefined =>
  operations.upstreams().find((upstream) => upstream.name === name);

const noUpstream = (name: string | undefined) =>
  refusal('not_found', `no upstream is called ${JSON.stringify(name)}; GET /api/v1/upstreams lists them`);

/** Upper bound on endpoints named in a message. */
const NAMED_MAX = 10;

function noEndpoint({ name, handler, endpoints }: UpstreamStatus, endpoint: string): string {
  if (handler !== null) return `upstream ${name} is a handler and has no endpoints`;
  const named = endpoints.slice(0, NAMED_MAX).map((each) => each.name);
  const more = endpoints.length > NAMED_MAX ? ` and ${endpoints.length - NAMED_MAX} more` : '';
  return `upstream ${name} has no endpoint ${JSON.stringify(endpoint)}; it has ${named.join(', ')}${more}`;
}
