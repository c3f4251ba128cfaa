/** The three files that an audit ends in. */
export type ReportKind = "html" | "json" | "sarif";

export interface ReportFile {
  readonly kind: ReportKind;
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type ReportFiles = Readonly<Record<ReportKind, ReportFile>>;

export const REPORT_KINDS: readonly ReportKind[] = ["html", "json", "sarif"];

/** What each is called and is for. */
export const REPORT_INFO: Readonly<
  Record<ReportKind, { readonly file: string; readonly type: string; readonly purpose: string }>
> = {
  html: { file: "report.html", type: "text/html", purpose: "to read and to pass on" },
  json: { file: "report.json", type: "application/json", purpose: "for your own scripts" },
  sarif: { file: "report.sarif", type: "application/sarif+json", purpose: "SARIF 2.1.0, for code scanning" },
};

/** Hands a file to the browser's downloads. */
export function saveFile({ name, type, bytes }: ReportFile): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}
