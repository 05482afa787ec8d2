/** The active checks: the table is also the vocabulary of `health_check.type`. */
import type { HealthCheck } from '../check.js';
import { agent } from './agent.js';
import { dns } from './dns.js';
import { exec } from './exec.js';
import { http } from './http.js';
import { https } from './https.js';
import { ldap } from './ldap.js';
import { mqtt } from './mqtt.js';
import { mysql } from './mysql.js';
import { postgres } from './postgres.js';
import { redis } from './redis.js';
import { sendExpect } from './send-expect.js';
import { smtp } from './smtp.js';
import { ssh } from './ssh.js';
import { stun } from './stun.js';
import { tcp } from './tcp.js';
import { tls } from './tls.js';

export const checks = {
  tcp,
  tls,
  http,
  https,
  redis,
  mysql,
  postgres,
  smtp,
  ssh,
  ldap,
  mqtt,
  dns,
  stun,
  agent,
  send_expect: sendExpect,
  exec,
} as const;

export type CheckName = keyof typeof checks;

export const checkNames = Object.keys(checks) as [CheckName, ...CheckName[]];

/** Erases the type of the options, which only each check itself needs. */
export const checkOf = (type: string): HealthCheck | undefined =>
  Object.hasOwn(checks, type) ? (checks[type as CheckName] as HealthCheck) : undefined;
