/** The report for people: one file, without scripts, that is the same for the same findings. */
import { SEVERITIES, type Finding, type Severity, type Summary } from "../findings.ts";
import { platform, sha256Of } from "../platform.ts";
import { advisoryOf } from "./advisory-link.ts";
import type { Decided, Decisions } from "./decisions.ts";
import { html, type Markup } from "./markup.ts";
import { STYLE } from "./style.ts";

export interface ReportContent {
  readonly name: string;
  readonly decided: readonly Decided[];
  readonly summary: Summary;
  readonly decisions: Decisions;
}

const LABELS: Readonly<Record<Severity, string>> = {
  critical: "Critical",
  high: "High",
  medium: "Medium",
  low: "Low",
  info: "Information",
};

/** Rules with more findings than this are folded up. */
const FOLD = 5;

export function renderHtml(content: ReportContent): string {
  const { name, decided, summary, decisions } = content;
  const shown = decided.filter(({ decision }) => decision.kind !== "dismissed");
  const dismissed = decided.filter(({ decision }) => decision.kind === "dismissed");
  const hash = platform.btoa(String.fromCharCode(...sha256Of(STYLE)));
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Audit of ${name}</title>
        ${{ html: `<style>${STYLE}</style>` }}
      </head>
      <body>
        <header>
          <h1>Audit of ${name}</h1>
          <p class="soft">${headline(decided, summary)}</p>
        </header>
        <main>
          ${overview(shown, decisions)} ${SEVERITIES.map((severity) => section(severity, shown))}
          ${
            dismissed.length > 0 &&
            html`<section aria-labelledby="dismissed">
              <h2 id="dismissed">Dismissed</h2>
              ${dismissed.map(card)}
            </section>`
          }
          ${scope(summary)}
        </main>
      </body>
    </html> `;
  return page.html;
}

const plural = (count: number, noun: string): string => `${String(count)} ${noun}${count === 1 ? "" : "s"}`;

function headline(decided: readonly Decided[], { files, omitted }: Summary): string {
  const open = decided.filter(({ decision }) => decision.kind === "open").length;
  const accepted = decided.filter(({ decision }) => decision.kind === "accepted").length;
  const parts = [
    `${plural(files, "file")}, ${plural(decided.length, "finding")}`,
    `${String(accepted)} confirmed, ${String(decided.length - open - accepted)} dismissed, ${String(open)} undecided`,
  ];
  return `${parts.join(": ")}.${omitted > 0 ? ` ${plural(omitted, "more finding")} of less weight did not fit in.` : ""}`;
}

function overview(shown: readonly Decided[], { by }: Decisions): Markup {
  const counts = SEVERITIES.map((severity) => ({ severity, count: ofSeverity(shown, severity).length }));
  return html`<section aria-labelledby="overview">
    <h2 id="overview">Overview</h2>
    ${bar(counts, shown.length)}
    <table>
      <caption class="soft">
        Findings by severity, without those that were dismissed
      </caption>
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col" class="count">Findings</th>
        </tr>
      </thead>
      <tbody>
        ${counts.map(
          ({ severity, count }) =>
            html`<tr>
              <th scope="row" class="${severity}">${LABELS[severity]}</th>
              <td class="count">${count}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${by !== undefined && html`<p>Reviewed by ${by}.</p>`}
  </section>`;
}

interface Count {
  readonly severity: Severity;
  readonly count: number;
}

/** One bar, divided in proportion. */
function bar(counts: readonly Count[], total: number): Markup {
  if (total === 0) return html`<p>Nothing was found.</p>`;
  const label = counts.map(({ severity, count }) => `${LABELS[severity]} ${String(count)}`).join(", ");
  let at = 0;
  const parts = counts.map(({ severity, count }) => {
    const width = Math.round((count / total) * 10_000) / 10;
    const part = html`<rect class="${severity}" x="${at}" y="0" width="${width}" height="20"></rect>`;
    at = Math.round((at + width) * 10) / 10;
    return part;
  });
  return html`<svg role="img" aria-label="${label}" viewBox="0 0 1000 20" preserveAspectRatio="none">${parts}</svg>`;
}

const ofSeverity = (decided: readonly Decided[], severity: Severity): readonly Decided[] =>
  decided.filter(({ finding }) => finding.severity === severity);

function section(severity: Severity, shown: readonly Decided[]): Markup {
  const ours = ofSeverity(shown, severity);
  if (ours.length === 0) return html``;
  const rules = new Map<string, Decided[]>();
  for (const one of ours) {
    const same = rules.get(one.finding.rule);
    if (same) same.push(one);
    else rules.set(one.finding.rule, [one]);
  }
  const groups = [...rules.values()].map((group) => (group.length > FOLD ? folded(group) : html`${group.map(card)}`));
  return html`<section aria-labelledby="${severity}">
    <h2 id="${severity}" class="${severity}">${LABELS[severity]} (${ours.length})</h2>
    ${groups}
  </section> `;
}

function folded(group: readonly Decided[]): Markup {
  const [first] = group;
  if (!first) return html``;
  return html`<details>
    <summary>${first.finding.title} (${group.length})</summary>
    ${group.map(card)}
  </details>`;
}

function card({ finding, decision }: Decided): Markup {
  const { title, severity, confidence, message, evidence, help, rule, cwe, id } = finding;
  const reason = decision.kind === "dismissed" && (decision.reason ?? "no reason given");
  return html`<article id="f-${id}" ${decision.kind === "dismissed" && html` class="dismissed"`}>
    <h3>
      <span class="badge ${severity}">${LABELS[severity]}</span
      >${decision.kind === "accepted" && html`<span class="badge">Confirmed</span>`}${title}
    </h3>
    ${place(finding)}
    <p>${message}</p>
    ${evidence !== undefined && evidence !== "" && html`<pre><code>${evidence}</code></pre>`}
    ${help !== undefined && html`<p>${help}</p>`}
    ${reason !== false && html`<p><strong>Dismissed:</strong> ${reason}</p>`}
    <p class="soft">
      <small>${source(rule)}${cwe !== undefined && html`, ${weakness(cwe)}`}, confidence ${confidence}, ${id}</small>
    </p>
  </article> `;
}

function place({ path, line, column }: Finding): Markup | undefined {
  if (path === undefined) return undefined;
  const where = line === undefined ? "" : `:${String(line)}${column === undefined ? "" : `:${String(column)}`}`;
  return html`<p><code>${path}${where}</code></p>`;
}

/** A rule's name, which leads to the advisory if it is one: the pattern sees to it that the address is ours. */
function source(rule: string): string | Markup {
  const advisory = advisoryOf(rule);
  return advisory === undefined ? rule : html`<a href="${advisory}" rel="noreferrer">${rule}</a>`;
}

/** The schema lets nothing but digits through, so the address is ours. */
const weakness = (cwe: string): Markup =>
  html`<a href="https://cwe.mitre.org/data/definitions/${cwe.slice(4)}.html" rel="noreferrer">${cwe}</a>`;

function scope({ notAnalysed, advisories, skipped }: Summary): Markup {
  return html`<section aria-labelledby="scope">
    <h2 id="scope">What was not looked at</h2>
    <ul>
      <li>${plural(notAnalysed, "file")} could not be analysed; each is listed above.</li>
      ${skipped.map(({ path, files }) => html`<li><code>${path}</code> was left out: ${plural(files, "file")}.</li>`)}
      ${advisories && html`<li>Advisories: ${advisories.source}, ${plural(advisories.count, "entry").replace("entrys", "entries")}, published up to ${advisories.date}. A package without a finding may still have a known vulnerability.</li>`}
      <li>
        Static rules see the shape of code, not where data comes from: they miss defects, and some of what they report
        is none.
      </li>
    </ul>
  </section>`;
}
