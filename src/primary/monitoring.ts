/** Starts the monitoring servers as part of the daemon; a failure is a StartError. */
import type { Control } from '../admin/control.js';
import { type Monitoring, startMonitoring } from '../admin/monitoring.js';
import type { Logger } from '../base/log.js';
import type { MonitoringConfig } from '../model/config.js';
import { StartError } from './start-error.js';

export async function serveMonitoring(
  config: MonitoringConfig,
  control: Control,
  log: Logger,
): Promise<Monitoring> {
  try {
    const monitoring = await startMonitoring(config, control);
    announce(config, log);
    return monitoring;
  } catch (error) {
    throw new StartError((error as Error).message);
  }
}

/** The default address exposes metrics and health to every network; the operator should learn that from the log. */
function announce({ metrics, health }: MonitoringConfig, log: Logger): void {
  if ((metrics ?? health)?.host !== '::') return;
  const fields = { metrics_port: metrics?.port, health_check_port: health?.port };
  log.info(fields, 'monitoring is served on every interface; `monitoring.address` restricts it');
}
