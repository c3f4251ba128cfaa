/** The style sheet of the report: light and dark, on screen and on paper. Its hash stands in the report's CSP. */
export const STYLE = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--card:#f6f8fa;--link:#0550ae;
--critical:#a40e26;--high:#bc4c00;--medium:#7d5200;--low:#0969da;--info:#57606a}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--soft:#9da7b3;--line:#3d444d;--card:#161b22;--link:#79c0ff;
--critical:#ff7b86;--high:#f0883e;--medium:#d7a72b;--low:#58a6ff;--info:#9da7b3}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2rem 1.25rem 4rem;background:var(--page);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1.25rem;margin:2.5rem 0 .75rem}h3{font-size:1rem;margin:0}
p{margin:.5rem 0}a{color:var(--link)}
.soft{color:var(--soft)}
svg{display:block;width:100%;height:1.25rem;border-radius:.3rem;margin:1rem 0 .5rem}
caption{text-align:left;padding-bottom:.25rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.count,th.count{text-align:right}
.critical{color:var(--critical);fill:var(--critical)}.high{color:var(--high);fill:var(--high)}.medium{color:var(--medium);fill:var(--medium)}
.low{color:var(--low);fill:var(--low)}.info{color:var(--info);fill:var(--info)}
article{border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1rem;margin:.75rem 0;background:var(--card);overflow-wrap:anywhere}
article.dismissed{opacity:.75}
.badge{font-size:.8rem;font-weight:600;border:1px solid currentcolor;border-radius:1rem;padding:.05rem .6rem;margin-right:.5rem;white-space:nowrap}
code,pre{font:.875rem/1.5 ui-monospace,Menlo,Consolas,monospace}
pre{margin:.6rem 0;padding:.6rem .75rem;border:1px solid var(--line);border-radius:.35rem;background:var(--page);white-space:pre-wrap}
details>summary{cursor:pointer;padding:.35rem 0;font-weight:600}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
@media print{:root{color-scheme:light;--page:#fff;--text:#000;--soft:#444;--line:#bbb;--card:#fff;--link:#000;
--critical:#a40e26;--high:#bc4c00;--medium:#7d5200;--low:#0550ae;--info:#444}body{max-width:none;padding:0}article{break-inside:avoid}}
`;
