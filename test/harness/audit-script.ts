/** The script of docs/audit.md, run in Node on what a page has exported. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const docs = new URL("../../docs/audit.md", import.meta.url);

/** The script, as it stands there. */
export function auditScript(): string {
  return /```js verify-audit\n([^]*?)```/u.exec(readFileSync(docs, "utf8"))?.[1] ?? "";
}

/** What the script says to an export, and whether it found it whole. `kept` are heads as `<n>:<hash>`. */
export function runAuditScript(
  log: Buffer,
  kept: readonly string[] = [],
): { readonly ok: boolean; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), "audit-"));
  try {
    const [script, file] = [join(folder, "verify-audit.mjs"), join(folder, "log.jsonl")];
    writeFileSync(script, auditScript());
    writeFileSync(file, log);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, file, ...kept], { encoding: "utf8" });
    return { ok: status === 0, said: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
