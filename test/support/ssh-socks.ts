/** OpenSSH's dynamic forwarding (`ssh -D`) as a SOCKS server: versions 4, 4a and 5, no users. */
import { freePort } from './ports.js';
import { startProgram } from './process.js';
import { type RealServer, sshOptions, startSshd } from './servers.js';

export const sshSocksTools = ['ssh', 'sshd', 'ssh-keygen'] as const;

export type SshSocks = Omit<RealServer, 'folder'>;

export async function startSshSocks(): Promise<SshSocks> {
  const sshd = await startSshd();
  const port = await freePort();
  const to = ['-p', `${sshd.port}`, ...sshOptions(sshd), '127.0.0.1'];
  const client = await startProgram('ssh', ['-N', '-D', `127.0.0.1:${port}`, ...to], port);
  const stop = async () => {
    await client.stop();
    await sshd.stop();
  };
  return { port, target: `127.0.0.1:${port}`, stop };
}
