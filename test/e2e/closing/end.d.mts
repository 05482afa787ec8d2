import type { Socket } from 'node:net';
export const OPENING: string;
export function connectTo(address: string): Promise<Socket>;
export function listenAt(address: string, listening?: () => void): Promise<Socket>;
export function write(socket: Socket, bytes: number): Promise<void>;
