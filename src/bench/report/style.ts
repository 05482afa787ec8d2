/** Of the page. Colours of lines are told apart by the colour-blind too (Okabe and Ito), lighter on dark ground. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1c1f24; --faint: #5d6470; --grid: #e3e6ea; --panel: #f6f7f9; --mark: #b3261e;
  --c0: #0072b2; --c1: #b35900; --c2: #00805c; --c3: #a63d7f; --c4: #6b5bd2; --c5: #7a6a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --text: #e6e8eb; --faint: #9aa3af; --grid: #2c323b; --panel: #1b1f26; --mark: #ff8a80;
    --c0: #56b4e9; --c1: #f2a33c; --c2: #35c79a; --c3: #e08bc0; --c4: #a99bff; --c5: #e3d04a;
  }
}
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 1200px; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { margin: .25rem 0; } .small { color: var(--faint); font-size: .87rem; }
code { background: var(--panel); border-radius: 4px; padding: .1rem .35rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1.25rem 0 .75rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; width: 100%; }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--grid); }
th { color: var(--faint); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
.notes { color: var(--faint); font-size: .87rem; padding-left: 1.1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 1rem; }
figure { background: var(--panel); border-radius: 8px; margin: 0; padding: 1rem; }
svg { display: block; width: 100%; max-width: 640px; height: auto; font: 11px system-ui, sans-serif; }
.title { fill: var(--text); font-size: 13px; font-weight: 600; }
.tick, .words { fill: var(--faint); } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--grid); } .axis { stroke: var(--faint); }
.mark { stroke: var(--mark); stroke-dasharray: 2 3; } .mark-words { fill: var(--mark); font-weight: 600; }
.line { fill: none; stroke-width: 2; } .dashed { stroke: var(--faint); stroke-width: 1.25; stroke-dasharray: 5 4; }
.name { font-weight: 600; fill: var(--faint); }
${[0, 1, 2, 3, 4, 5].map((index) => `.line.colour-${index} { stroke: var(--c${index}); } .dot.colour-${index}, .name.colour-${index} { fill: var(--c${index}); }`).join('\n')}
`;
