/** How messages reach a worker: a Plan in pieces, because sessions wait while a worker reads a message. */
import type { MessagePort } from 'node:worker_threads';
import { inParcels } from '../base/parcels.js';
import type { ToWorker } from '../model/message.js';

export function send(port: MessagePort, message: ToWorker): void {
  if (message.type !== 'prepare') return port.postMessage(message);
  const { head, rest } = inParcels(message.plan);
  port.postMessage({ ...message, plan: head, rest }, [rest]);
}
