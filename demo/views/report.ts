/** The end of it: what was found, in numbers; the report to look at; the files to take away. */
import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit/html.js";
import { SEVERITIES, type AuditReport, type DecidedFinding, type Severity } from "../audit.ts";
import { bytes, count, counted as countedWord } from "../page/format.ts";
import type { Scene } from "../page/scene.ts";
import type { LoadedReport } from "../page/state.ts";
import { REPORT_INFO, REPORT_KINDS, type ReportFiles, type ReportKind } from "../report/files.ts";
import { showReport } from "../report/frame.ts";
import type { Run } from "../run/run.ts";
import { icon } from "./icons.ts";
import { ref } from "lit/directives/ref.js";

export function report({ ui, actions }: Scene, run: Run): TemplateResult {
  const loaded = ui.reports.get(run.id);
  return html`
    <section class="panel report" id="report" aria-labelledby="report-title" tabindex="-1">
      <header class="panel-head"><h2 id="report-title">Report</h2></header>
      ${loaded ? reportBody(loaded, actions.download) : html`<p class="empty">Reading the report …</p>`}
    </section>
  `;
}

function reportBody(loaded: LoadedReport, download: (kind: ReportKind) => void): TemplateResult {
  if (loaded.status === "gone") {
    return html`<p class="empty" role="alert">
      The report’s files could not be read: ${loaded.error.message}. They go when the site’s data is cleared.
    </p>`;
  }
  const { files } = loaded.report;
  return html`
    <div class="report-top">${chart(loaded.report)} ${downloads(files, download)}</div>
    <iframe
      class="report-frame"
      title="The HTML report"
      sandbox="allow-same-origin"
      ${ref((frame) => {
        showReport(frame, files.html);
      })}
    ></iframe>
  `;
}

function downloads(files: ReportFiles, download: (kind: ReportKind) => void): TemplateResult {
  return html`
    <ul class="downloads" aria-label="Files">
      ${REPORT_KINDS.map((kind) => {
        const { file, purpose } = REPORT_INFO[kind];
        return html`
          <li>
            <button
              class="button"
              @click=${() => {
                download(kind);
              }}
            >
              ${icon("down")} ${file}
            </button>
            <span class="faint">${bytes(files[kind].bytes.length)}, ${purpose}</span>
          </li>
        `;
      })}
    </ul>
  `;
}

const ROW = 26;
const LABEL = 76;
const BAR = 320;

/** Findings by severity, as bars; the numbers stand beside them, so nothing hangs on seeing the bars. */
function chart({ findings, summary }: AuditReport): TemplateResult {
  const counted = SEVERITIES.map((severity) => tallyOf(findings, severity));
  const most = Math.max(1, ...counted.map(({ standing, dismissed }) => standing + dismissed));
  const standing = counted.reduce((sum, each) => sum + each.standing, 0);
  const spoken = SEVERITIES.map((severity, at) => `${String(counted[at]?.standing ?? 0)} ${severity}`).join(", ");
  const dismissed = findings.length - standing;
  return html`
    <figure class="chart">
      <figcaption>
        <b>${countedWord(standing, "finding")}</b> in
        ${countedWord(summary.files, "file")}${dismissed === 0 ? "" : `, ${count(dismissed)} dismissed`}${
          summary.omitted === 0 ? "" : `; ${countedWord(summary.omitted, "lesser one")} left out of the list`
        }
      </figcaption>
      <svg viewBox="0 0 ${LABEL + BAR + 60} ${ROW * SEVERITIES.length}" role="img" aria-label=${spoken}>
        ${SEVERITIES.map((severity, at) => bar(severity, at, counted[at] ?? NONE, most))}
      </svg>
    </figure>
  `;
}

interface Tally {
  readonly standing: number;
  readonly dismissed: number;
}

const NONE: Tally = { standing: 0, dismissed: 0 };

function tallyOf(findings: readonly DecidedFinding[], severity: Severity): Tally {
  const of = findings.filter((one) => one.severity === severity);
  const dismissed = of.filter(({ decision }) => decision === "dismissed").length;
  return { standing: of.length - dismissed, dismissed };
}

function bar(severity: Severity, at: number, { standing, dismissed }: Tally, most: number): SVGTemplateResult {
  const y = at * ROW;
  const length = (number: number): number => (number === 0 ? 0 : Math.max(3, (number / most) * BAR));
  return svg`
    <text class="chart-label" x="0" y=${y + 17}>${severity}</text>
    <rect class="chart-track" x=${LABEL} y=${y + 6} width=${BAR} height="14" rx="2" />
    <rect class="chart-gone" x=${LABEL} y=${y + 6} width=${length(standing + dismissed)} height="14" rx="2" />
    <rect class="fill-${severity}" x=${LABEL} y=${y + 6} width=${length(standing)} height="14" rx="2" />
    <text class="chart-number" x=${LABEL + BAR + 12} y=${y + 17}>${count(standing)}</text>`;
}
