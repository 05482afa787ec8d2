/** The commands of docs/cluster.md, as they are written there. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import { etcdTools } from '../../support/etcd.js';
import { etcdGround } from '../../support/etcd-ground.js';
import { describeWith } from '../../support/tools.js';
import { eventually } from '../../support/wait.js';

const run = promisify(execFile);

const commands = [...readFileSync('docs/cluster.md', 'utf8').matchAll(/^```\n(etcdctl [\s\S]*?)```/gm)].map(
  ([, text = '']) => text.replace(/^anyport .*\n/gm, ''),
);

describeWith(...etcdTools, 'etcdctl')('docs/cluster.md', () => {
  const ground = etcdGround();

  const shell = (text: string) => {
    const ETCDCTL_ENDPOINTS = ground.etcd.endpoints.join();
    return run('sh', ['-ec', text], { env: { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS } });
  };

  test('what its commands put is taken', async () => {
    const daemon = await startDaemon({
      protocols: [{ name: 'HTTP', target: 'web' }],
      upstreams: { web: { endpoints: ['service:web'] } },
      distributed: {
        ...{ enable: true, node_id: 'node-1', etcd_endpoints: ground.etcd.endpoints },
        config_manager: { watch_prefix: '/anyport/config' },
      },
    });
    ground.ends.push(() => daemon.stop());
    await shell('etcdctl role add anyport');
    expect(commands).toHaveLength(3);
    for (const command of commands) await shell(command);
    await daemon.metricBecomes('anyport_cluster_instances', 1);
    await daemon.metricBecomes('anyport_cluster_fragments', 1, { state: 'accepted' });
    const status = await eventually('its state', async () => {
      const { stdout } = await shell('etcdctl get --prefix /anyport/status/ --print-value-only');
      return stdout !== '' && JSON.parse(stdout);
    });
    expect(status).toMatchObject({ state: 'accepted', problems: [] });
    const { stdout } = await shell('etcdctl role get anyport');
    expect(stdout).toContain('/anyport/nodes/');
  });
});
