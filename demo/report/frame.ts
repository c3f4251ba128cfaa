/**
 * Shows an HTML report in a frame without scripts. The page's policy forbids inline styles there too, so the
 * report's style sheet is taken out of the text and adopted as an object, which no markup of a report can do.
 */
import type { ReportFile } from "./files.ts";

const shown = new WeakMap<Element, Uint8Array>();

const STYLE = /<style>([\s\S]*?)<\/style>/u;

/** Fills the frame, once per report. */
export function showReport(frame: Element | undefined, file: ReportFile): void {
  if (!(frame instanceof HTMLIFrameElement) || shown.get(frame) === file.bytes) return;
  shown.set(frame, file.bytes);
  const text = new TextDecoder().decode(file.bytes);
  const url = URL.createObjectURL(new Blob([text.replace(STYLE, "")], { type: file.type }));
  const onLoad = (): void => {
    URL.revokeObjectURL(url);
    adoptStyle(frame.contentDocument, STYLE.exec(text)?.[1] ?? "");
  };
  frame.addEventListener("load", onLoad, { once: true });
  frame.src = url;
}

function adoptStyle(report: Document | null, text: string): void {
  const Sheet = report?.defaultView?.CSSStyleSheet;
  if (!report || !Sheet) return;
  const sheet = new Sheet();
  sheet.replaceSync(text);
  report.adoptedStyleSheets = [sheet];
}
