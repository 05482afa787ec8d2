/**
 * The image's HEALTHCHECK: 0 when the daemon answers, also while it drains: what is unhealthy is killed by some. Where
 * monitoring is on another port: ANYPORT_HEALTH_URL.
 */
import { get } from 'node:http';

const request = get(process.env.ANYPORT_HEALTH_URL ?? 'http://127.0.0.1:9092/health/live', (answer) => {
  answer.resume();
  process.exitCode = answer.statusCode === 200 ? 0 : 1;
});
request.on('error', ({ message }) => {
  console.error(message);
  process.exitCode = 1;
});
