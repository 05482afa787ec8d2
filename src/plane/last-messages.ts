/** The end of a worker's port. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { FromWorker } from '../model/message.js';

/** A task's result arrives on another way and may overtake the worker's last log lines: they are read first. */
export function closeRead(port: MessagePort, onMessage: (message: FromWorker) => void): void {
  for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port)) {
    onMessage(last.message as FromWorker);
  }
  port.close();
}
