import { test } from 'vitest';

test('before', () => {});
test('its process dies', () => process.kill(process.pid, 'SIGKILL'));
test('behind', () => {});
