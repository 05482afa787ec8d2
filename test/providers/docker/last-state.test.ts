/** What containers said last is used under the circumstances that it was said under, and refused when it is something else. */
import { expect, test } from 'vitest';
import type { DockerConfig } from '../../../src/model/config.js';
import { contributionLimits } from '../../../src/providers/contribution.js';
import { fragmentsIn, stateOf } from '../../../src/providers/docker/last-state.js';

const docker: DockerConfig = {
  place: { socketPath: '/run/docker.sock' },
  network: 'inner',
  watch: true,
  allowLoopback: false,
  stateFile: '/var/lib/anyport/docker.json',
};
const at = (host: string): DockerConfig => ({ ...docker, place: { host, port: 2375, tls: null } });

const fragments = [
  {
    from: 'container a, alias a',
    document: { upstreams: { a: { endpoints: [{ address: '10.0.0.7:80', weight: 1 }] } } },
    said: { 'upstreams.a.endpoints[0]': 'container a, label anyport.a.port' },
  },
  { from: 'container b, alias b', document: {} },
];

/** As on the disk. */
const written = (config = docker, boot: string | null = 'boot-1'): unknown =>
  JSON.parse(JSON.stringify(stateOf(fragments, config, boot)));

test('comes back as it was, whatever follows and wherever it is kept', () => {
  const changed = { ...docker, watch: false, stateFile: '/other' };
  expect(fragmentsIn(written(), changed, 'boot-1')).toEqual({ fragments });
});

const other = { fault: 'it is of another engine, or of other settings of `docker`' };
const boot = { fault: 'this machine has been started anew since: containers had other addresses then' };

test.each([
  { why: 'another engine', config: at('engine.test'), says: other },
  { why: 'another network', config: { ...docker, network: '' }, says: other },
  { why: 'loopback is allowed now', config: { ...docker, allowLoopback: true }, says: other },
])('is not used where $why', ({ config, says }) =>
  expect(fragmentsIn(written(), config, 'boot-1')).toEqual(says),
);

test('is not used after another start of the machine, if the engine is on it', () => {
  expect(fragmentsIn(written(), docker, 'boot-2')).toEqual(boot);
  expect(fragmentsIn(written(), docker, null)).toEqual(boot);
  for (const host of ['127.0.0.1', 'localhost'])
    expect(fragmentsIn(written(at(host)), at(host), 'boot-2')).toEqual(boot);
  expect(fragmentsIn(written(at('engine.test')), at('engine.test'), 'boot-2')).toEqual({ fragments });
});

const broken = { fault: 'what it says of containers is broken' };
const withFragments = (of: unknown) => ({ ...(written() as object), fragments: of });
test.each([
  { why: 'nothing', state: null, says: other },
  { why: 'a list', state: [], says: other },
  { why: 'without fragments', state: withFragments(undefined), says: broken },
  { why: 'of a fragment that is none', state: withFragments([null]), says: broken },
  { why: 'of a fragment of nobody', state: withFragments([{ document: {} }]), says: broken },
  { why: 'of a document that is a list', state: withFragments([{ from: 'a', document: [] }]), says: broken },
  {
    why: 'of places that are no text',
    state: withFragments([{ from: 'a', document: {}, said: { a: 7 } }]),
    says: broken,
  },
  {
    why: 'of more fragments than there may be',
    state: withFragments(Array(contributionLimits.fragmentsMax + 1).fill(fragments[1])),
    says: broken,
  },
])('is not used when it is $why', ({ state, says }) =>
  expect(fragmentsIn(state, docker, 'boot-1')).toEqual(says),
);
