/** Metrics and health, as the monitoring ports serve them. */
import { type Answer, json } from '../answer.js';
import type { Control } from '../control.js';
import type { Route } from '../router.js';
import { ref } from '../schemas.js';

/** Liveness: a response from this thread is enough. */
export const live = (control: Control): Answer => json(200, { ...control.health(), status: 'live' });

export function ready(control: Control): Answer {
  const health = control.health();
  const serves = health.status === 'ready' || health.status === 'degraded';
  return json(serves ? 200 : 503, health);
}

export async function metrics({ metrics: { contentType, scrape } }: Control): Promise<Answer> {
  return { status: 200, contentType, body: await scrape() };
}

const health = { words: 'It does.', schema: ref('Health') };

export const monitoringRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Metrics in the Prometheus text format',
    answers: { 200: { words: 'The metrics.', contentType: 'text/plain; version=0.0.4; charset=utf-8' } },
    handle: (_, operations) => metrics(operations),
  },
  {
    method: 'GET',
    path: '/health/live',
    id: 'getLiveness',
    summary: 'Whether the process answers',
    answers: { 200: health },
    handle: (_, operations) => live(operations),
  },
  {
    method: 'GET',
    path: '/health/ready',
    id: 'getReadiness',
    summary: 'Whether it accepts sessions',
    answers: { 200: health, 503: { words: 'It starts or drains.', schema: ref('Health') } },
    handle: (_, operations) => ready(operations),
  },
];
