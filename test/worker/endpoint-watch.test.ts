import { expect, test } from 'vitest';
import { createEndpointWatch } from '../../src/worker/endpoint-watch.js';

const names = { upstream: 'web', endpoint: '10.0.0.1:80' };

function watch() {
  const said: string[] = [];
  const say = (_fields: object, message: string) => said.push(message);
  return { said, endpoints: createEndpointWatch({ warn: say, info: say }) };
}

test('an endpoint turns once each way, however many sessions see it', () => {
  const { said, endpoints } = watch();
  for (let session = 0; session < 3; session += 1) endpoints.failed(7, names, 'ECONNREFUSED');
  endpoints.answered(8, names);
  for (let session = 0; session < 3; session += 1) endpoints.answered(7, names);
  expect(said).toEqual(['an endpoint can not be reached', 'an endpoint is reached again']);
  expect(endpoints.anyDown).toBe(false);
});

test('one that no Plan has any more is forgotten, and is news when it comes back', () => {
  const { said, endpoints } = watch();
  endpoints.failed(7, names, 'ECONNREFUSED');
  endpoints.failed(8, names, 'ECONNREFUSED');
  endpoints.keep(new Set([8]));
  endpoints.answered(7, names);
  expect(said).toHaveLength(2);
  expect(endpoints.anyDown).toBe(true);
  endpoints.failed(7, names, 'ECONNREFUSED');
  expect(said).toHaveLength(3);
});
