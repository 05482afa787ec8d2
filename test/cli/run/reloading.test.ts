import { describe, expect, test } from 'vitest';
import { Reloading } from '../../../src/cli/run/reloading.js';
import type { ChangeResult, Settings } from '../../../src/model/settings.js';
import { settled } from '../../base/fake-clock.js';

function start() {
  const ends: ((result: ChangeResult) => void)[] = [];
  const told: string[] = [];
  const reload = () => new Promise<ChangeResult>((end) => ends.push(end));
  const settings = { reload } as unknown as Settings;
  const reloading = new Reloading();
  const listener = {
    reloading: () => told.push('reloading'),
    reloaded: ({ result }: ChangeResult) => told.push(result),
  };
  const end = async (n: number, result: 'unchanged' | 'superseded' | 'called_off') => {
    ends[n]?.({ result });
    await settled();
  };
  return { reloading, begin: () => reloading.begin(settings, listener), ends, told, end };
}

describe('SIGHUP', () => {
  test('during the start is one reload when the daemon is ready', () => {
    const { reloading, begin, ends } = start();
    reloading.hangUp();
    reloading.hangUp();
    expect(ends).toHaveLength(0);
    begin();
    expect(ends).toHaveLength(1);
  });

  test('several times is one "reloading", and one end when the last reload has ended', async () => {
    const { reloading, begin, told, end } = start();
    begin();
    for (let n = 0; n < 3; n++) reloading.hangUp();
    expect(told).toEqual(['reloading']);
    await end(1, 'superseded');
    await end(0, 'unchanged');
    expect(told).toEqual(['reloading']);
    await end(2, 'unchanged');
    expect(told).toEqual(['reloading', 'unchanged']);
    reloading.hangUp();
    expect(told).toEqual(['reloading', 'unchanged', 'reloading']);
  });

  test('that a shutdown calls off is not said to have ended: the service manager has been told to stop', async () => {
    const { reloading, begin, told, end } = start();
    begin();
    reloading.hangUp();
    await end(0, 'called_off');
    expect(told).toEqual(['reloading']);
  });
});
