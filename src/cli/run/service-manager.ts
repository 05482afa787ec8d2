/** State notifications to the service manager (systemd, sd_notify(3)), if NOTIFY_SOCKET is set. */
import { native } from '../../addon.js';
import type { Logger } from '../../base/log.js';

export type ServiceState = 'READY=1' | 'STOPPING=1';

export function tellServiceManager(state: ServiceState, log: Logger): void {
  const socket = process.env.NOTIFY_SOCKET;
  if (!socket) return;
  try {
    native.notify(socket, state);
  } catch (error) {
    log.warn({ socket, state, error: (error as Error).message }, 'the service manager can not be told');
  }
}
