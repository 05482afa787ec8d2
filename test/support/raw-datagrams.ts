/** Datagrams from more clients than there can be sockets (raw-datagrams.py). Needs root and python3. */
import { runProgram } from './process.js';

export interface Crowd {
  /** Loopback addresses from 127.9.0.1 on. */
  readonly sources: number;
  /** Ports of each. */
  readonly ports: number;
  readonly payloadBytes: number;
}

/** One datagram from each port of each source to a loopback port; returns how many were sent. */
export async function sendFromCrowd(port: number, { sources, ports, payloadBytes }: Crowd): Promise<number> {
  const words = ['127.0.0.1', port, '127.9.0.1', sources, ports, payloadBytes].map(String);
  const script = `${import.meta.dirname}/raw-datagrams.py`;
  const { status, stdout, stderr } = await runProgram('python3', [script, ...words]);
  if (status !== 0) throw new Error(`raw-datagrams.py: ${stderr}`);
  return Number(stdout);
}
