/**
 * How messages reach a worker: a Plan in pieces, because sessions wait while a worker reads a message, and without what
 * the worker has of the Plan before.
 */
import type { MessagePort } from 'node:worker_threads';
import { inParcels } from '../base/parcels.js';
import type { ToWorker } from '../model/message.js';
import type { Plan } from '../model/plan.js';

/** `inForce`: the Plan that the worker has adopted; absent: none of those that are here. */
export function send(port: MessagePort, message: ToWorker, inForce?: Plan): void {
  if (message.type !== 'prepare') return port.postMessage(message);
  const { head, rest } = inParcels(message.plan, inForce);
  const base = inForce?.generation;
  port.postMessage({ ...message, plan: head, rest, ...(base !== undefined && { base }) }, [rest]);
}
