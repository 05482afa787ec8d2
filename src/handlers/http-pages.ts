/** The demo page in three formats. Client data is escaped, never markup. */
import type { HandlerSession } from './handler.js';

export interface Page {
  readonly type: string;
  readonly body: string;
}

type Row = readonly [label: string, value: string];

function rowsOf(session: HandlerSession, userAgent: string): Row[] {
  const facts = Object.entries(session.facts).map(([name, value]): Row => [name, String(value)]);
  return [
    ['protocol', session.protocol ?? 'unknown'],
    ['decided at byte', String(session.decidedAtByte)],
    ['identified in', `${session.identifyMs.toFixed(2)} ms`],
    ['your address', session.source],
    ['listener', session.listener],
    ['worker', String(session.worker)],
    ['session', session.id],
    ...facts,
    ...(userAgent ? [['user agent', userAgent] as const] : []),
  ];
}

export function textPage(session: HandlerSession, userAgent: string): Page {
  const rows = rowsOf(session, userAgent).map(([label, value]) => `  ${label.padEnd(16)} ${value}\n`);
  const body = [
    'anyport: one port, any protocol\n\n',
    `You spoke ${session.protocol ?? 'something'}, so this session came here.\n\n`,
    ...rows,
    '\nThe same port answers redis-cli, and echoes whatever else you send.\n',
  ].join('');
  return { type: 'text/plain; charset=utf-8', body };
}

export function jsonPage(session: HandlerSession): Page {
  return { type: 'application/json', body: `${JSON.stringify(session)}\n` };
}

export function htmlPage(session: HandlerSession, userAgent: string): Page {
  const rows = rowsOf(session, userAgent)
    .map(([label, value]) => `<tr><th>${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('\n');
  const body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>anyport</title>
<style>${STYLE}</style>
<main>
<h1>any<b>port</b></h1>
<p>One port, any protocol. Your browser spoke <b>${escapeHtml(session.protocol ?? 'something')}</b>,
and ${session.decidedAtByte} bytes were enough to know.</p>
<table>
${rows}
</table>
<p class="aside">The same port answers <code>redis-cli</code>, and echoes whatever else you send.</p>
</main>
</html>
`;
  return { type: 'text/html; charset=utf-8', body };
}

const STYLE = `
:root { color-scheme: light dark; --accent: #0a7d5a; }
@media (prefers-color-scheme: dark) { :root { --accent: #4fd1a5; } }
body { font: 16px/1.6 system-ui, sans-serif; margin: 0; }
main { max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-weight: 300; font-size: 2.6rem; margin: 0; }
b { color: var(--accent); font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
th { font-weight: 400; opacity: .7; white-space: nowrap; width: 10rem; }
td { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.aside { opacity: .7; }
`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] as string);
}
