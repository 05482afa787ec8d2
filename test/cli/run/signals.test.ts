import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { hearSignals } from '../../../src/cli/run/signals.js';

function hear() {
  const source = new EventEmitter();
  const heard: string[] = [];
  hearSignals(
    {
      drain: (signal) => heard.push(`drain ${signal}`),
      stop: (signal) => heard.push(`stop ${signal}`),
      reload: (signal) => heard.push(`reload ${signal}`),
      upgrade: (signal) => heard.push(`upgrade ${signal}`),
      reopenLogs: (signal) => heard.push(`reopen ${signal}`),
    },
    source,
  );
  return { source, heard };
}

describe('signals', () => {
  const cases = [
    { why: 'the first ends gently', sent: ['SIGTERM'], expected: ['drain SIGTERM'] },
    {
      why: 'a second one of either kind stops',
      sent: ['SIGTERM', 'SIGINT'],
      expected: ['drain SIGTERM', 'stop SIGINT'],
    },
    {
      why: 'what can not be done yet does no harm',
      sent: ['SIGHUP', 'SIGUSR2', 'SIGINT'],
      expected: ['reload SIGHUP', 'upgrade SIGUSR2', 'drain SIGINT'],
    },
    {
      why: 'all are heard to the end, when the process is stopping too',
      sent: ['SIGUSR1', 'SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGUSR1'],
      expected: [
        'reopen SIGUSR1',
        'drain SIGTERM',
        'stop SIGTERM',
        'stop SIGTERM',
        'reload SIGHUP',
        'upgrade SIGUSR2',
        'reopen SIGUSR1',
      ],
    },
  ];
  test.each(cases)('$why', ({ sent, expected }) => {
    const { source, heard } = hear();
    for (const signal of sent) source.emit(signal, signal);
    expect(heard).toEqual(expected);
  });
});
