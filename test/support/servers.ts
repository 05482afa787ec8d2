/** Real servers from Debian packages, started by hand on loopback, each in its own folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { freePort } from './ports.js';
import { type Running, runProgram, startProgram, stopProcess } from './process.js';
import { type TempFolder, tempFolder } from './temp.js';

export interface RealServer {
  readonly port: number;
  readonly target: string;
  readonly folder: string;
  stop(): Promise<void>;
}

type Launch = (folder: string, port: number) => Promise<Running>;

async function start(launch: Launch): Promise<RealServer> {
  const folder: TempFolder = tempFolder();
  const port = await freePort();
  const server = await launch(folder.path, port);
  const stop = async () => {
    await server.stop();
    folder.remove();
  };
  return { port, target: `127.0.0.1:${port}`, folder: folder.path, stop };
}

export const startRedis = (): Promise<RealServer> =>
  start((folder, port) =>
    startProgram(
      'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
      port,
    ),
  );

/** sshd as root without PAM; `id` in the folder is the key that it trusts. */
export const startSshd = (): Promise<RealServer> =>
  start(async (folder, port) => {
    mkdirSync('/run/sshd', { recursive: true });
    await makeKey(`${folder}/host`);
    await makeKey(`${folder}/id`);
    const options = ['ListenAddress=127.0.0.1', 'UsePAM=no', 'StrictModes=no', 'MaxStartups=100']
      .concat(`AuthorizedKeysFile=${folder}/id.pub`, 'Subsystem=sftp internal-sftp')
      .flatMap((option) => ['-o', option]);
    const args = ['-D', '-e', '-f', '/dev/null', '-p', `${port}`, '-h', `${folder}/host`, ...options];
    return startProgram('/usr/sbin/sshd', args, port);
  });

const makeKey = (path: string) => runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);

/** Options with which `ssh` and `scp` trust a freshly created server. */
export const sshOptions = (server: RealServer): string[] =>
  [
    `IdentityFile=${server.folder}/id`,
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
  ]
    .concat('BatchMode=yes', 'IdentitiesOnly=yes')
    .flatMap((option) => ['-o', option]);

const nginxConfig = (folder: string, server: string): string => `
  daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
  events { worker_connections 4096; }
  http {
    access_log off; sendfile on; default_type text/plain;
    client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
    uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
    server { ${server} }
  }`;

async function startNginx(folder: string, port: number, server: string): Promise<Running> {
  mkdirSync(`${folder}/www`);
  writeFileSync(`${folder}/www/index.html`, 'served by nginx\n');
  writeFileSync(`${folder}/nginx.conf`, nginxConfig(folder, `root ${folder}/www; ${server}`));
  return startProgram('/usr/sbin/nginx', ['-p', folder, '-c', `${folder}/nginx.conf`], port);
}

/** Serves `www/` of its folder. */
export const startHttp = (): Promise<RealServer> =>
  start((folder, port) => startNginx(folder, port, `listen 127.0.0.1:${port};`));

/** As startHttp, for HTTP/2 with prior knowledge. */
export const startH2c = (): Promise<RealServer> =>
  start((folder, port) => startNginx(folder, port, `listen 127.0.0.1:${port} http2;`));

/** HTTPS with its own certificate for `name`; HTTP/2 by ALPN. */
export const startHttps = (name: string): Promise<RealServer> =>
  start(async (folder, port) => {
    await makeCertificate(folder, name);
    const certificate = `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`;
    return startNginx(folder, port, `listen 127.0.0.1:${port} ssl http2; ${certificate}`);
  });

async function makeCertificate(folder: string, name: string): Promise<void> {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${folder}/key.pem`,
  ];
  const args = ['req', '-x509', ...key, '-out', `${folder}/cert.pem`, '-subj', `/CN=${name}`, '-days', '2'];
  const { status, stderr } = await runProgram('openssl', args);
  if (status !== 0) throw new Error(`openssl req: ${stderr}`);
}

/** HAProxy as TLS terminator for `name`; announces client and SNI in a PROXY header. */
export const startTlsBalancer = (name: string, target: string): Promise<RealServer> =>
  start(async (folder, port) => {
    await makeCertificate(folder, name);
    writeFileSync(
      `${folder}/both.pem`,
      ['cert', 'key'].map((part) => readFileSync(`${folder}/${part}.pem`)).join(''),
    );
    const options = 'send-proxy-v2 proxy-v2-options ssl,ssl-cipher,authority,unique-id,crc32c';
    const config = `
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend clients
  bind 127.0.0.1:${port} ssl crt ${folder}/both.pem
  unique-id-format id-%pid
  default_backend behind
backend behind
  server behind ${target} ${options}
`;
    writeFileSync(`${folder}/haproxy.cfg`, config);
    return startProgram('haproxy', ['-db', '-q', '-f', `${folder}/haproxy.cfg`], port);
  });

/** A sparse file of zeros. */
export function makeSparseFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, bytes);
  closeSync(file);
}

/**
 * A port that neither accepts nor refuses: its backlog is full and its owner stopped, so the kernel drops SYNs.
 * Simulates an unreachable host.
 */
export async function startBlackHole(): Promise<{ target: string; stop(): Promise<void> }> {
  const port = await freePort();
  const script = `require('net').createServer().listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => {
    console.log('ready');
    process.kill(process.pid, 'SIGSTOP');
  })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  const stop = async () => {
    for (const filler of fillers) filler.destroy();
    await stopProcess(child, 'SIGKILL');
  };
  return { target: `127.0.0.1:${port}`, stop };
}
