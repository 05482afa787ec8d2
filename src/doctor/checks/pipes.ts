/** Memory of splice pipes: fs.pipe-user-pages-soft, of all pipes of a user without CAP_SYS_RESOURCE and CAP_SYS_ADMIN. */
import { countText } from '../../base/figures.js';
import { pipeBytes } from '../../budget/pipes.js';
import type { Check } from '../check.js';
import { may, setSysctl, sysctl } from '../readers.js';

const PAGE_BYTES = 4096;
const SOFT = 'fs.pipe-user-pages-soft';

export const pipes: Check = {
  name: 'pipes',
  examine: ({ config, demand, machine }) => {
    const pages = (demand.workers * pipeBytes()) / PAGE_BYTES;
    const finding = { what: SOFT, needed: `${countText(pages)} pages` };
    const most = sysctl(machine, SOFT);
    // Whoever `server.user` names has neither.
    const isFree = may(machine, 'CAP_SYS_RESOURCE') || may(machine, 'CAP_SYS_ADMIN');
    if (isFree && config.server.identity === null)
      return [{ ...finding, verdict: 'ok', there: 'no limit for this user' }];
    if (most === null) return [{ ...finding, verdict: 'unknown', there: `no such sysctl` }];
    if (most === 0) return [{ ...finding, verdict: 'ok', there: 'no limit' }];
    const there = `${countText(most)} pages`;
    if (most >= pages) return [{ ...finding, verdict: 'ok', there }];
    const why = 'at a peak some splice pipes stay small, and bytes are copied';
    return [{ ...finding, verdict: 'note', there, why, remedies: [setSysctl(SOFT, pages)] }];
  },
};
