import { expect, test } from 'vitest';
import type { Discovery } from '../../src/model/config.js';
import type { Published } from '../../src/plane/publication.js';
import { RENEW_MS, Renewal } from '../../src/primary/renewal.js';
import { FakeClock, settled } from '../base/fake-clock.js';
import { hostsAt } from '../support/plan.js';

const at = (address: string): Discovery => hostsAt({ host: [address] });
const [first, second] = [at('192.0.2.1'), at('192.0.2.2')];
const refused: Published = { result: 'refused', worker: 0, error: 'it died' };

function renewing() {
  const clock = new FakeClock();
  const published: { readonly discovery: Discovery; readonly end: (published: Published) => void }[] = [];
  const publish = (discovery: Discovery) =>
    new Promise<Published>((end) => {
      published.push({ discovery, end });
    });
  return { clock, published, renewal: new Renewal(publish, clock) };
}

test.each(['committed', 'called_off'] as const)('what is %s is done with', async (result) => {
  const { clock, published, renewal } = renewing();
  void renewal.renew(first);
  published[0]?.end({ result });
  await settled();
  await clock.pass(10 * RENEW_MS);
  expect(published).toHaveLength(1);
});

test('what is refused is published again, until it is in force', async () => {
  const { clock, published, renewal } = renewing();
  void renewal.renew(first);
  for (let n = 0; n < 3; n++) {
    published[n]?.end(refused);
    await settled();
    await clock.pass(RENEW_MS);
  }
  published[3]?.end({ result: 'committed' });
  await settled();
  await clock.pass(10 * RENEW_MS);
  expect(published.map(({ discovery }) => discovery)).toEqual([first, first, first, first]);
});

test('what is refused does not come back over something newer', async () => {
  const { clock, published, renewal } = renewing();
  void renewal.renew(first);
  void renewal.renew(second); // it waits for its turn
  published[0]?.end(refused);
  published[1]?.end({ result: 'committed' });
  await settled();
  await clock.pass(10 * RENEW_MS);
  expect(published).toHaveLength(2);
});

test('something newer takes the place of what was to be tried again', async () => {
  const { clock, published, renewal } = renewing();
  void renewal.renew(first);
  published[0]?.end(refused);
  await settled();
  void renewal.renew(second);
  published[1]?.end({ result: 'committed' });
  await clock.pass(10 * RENEW_MS);
  expect(published.map(({ discovery }) => discovery)).toEqual([first, second]);
});

test.each(['while it is published', 'while it waits to be tried again'])(
  'stopped %s it is quiet',
  async (when) => {
    const { clock, published, renewal } = renewing();
    void renewal.renew(first);
    if (when === 'while it is published') renewal.stop();
    published[0]?.end(refused);
    await settled();
    renewal.stop();
    await clock.pass(10 * RENEW_MS);
    expect(published).toHaveLength(1);
  },
);
