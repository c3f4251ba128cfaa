/** The example of docs/testing.md, as printed. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { it } from "node:test";

it("the example of docs/testing.md runs as it is printed", async () => {
  const page = readFileSync(new URL("../../../docs/testing.md", import.meta.url), "utf8");
  const [, example = ""] = /<!-- runs in test\/node\/sim\/docs.test.ts -->\s*```ts\n(.*?)```/su.exec(page) ?? [];
  const folder = new URL("../../../.cache/docs/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL("testing.ts", folder);
  const entry = new URL("../../../src/testing.ts", import.meta.url).href;
  writeFileSync(file, `${example.replace('"troupe/testing"', JSON.stringify(entry))}\nexport { report };\n`);
  const { report } = (await import(file.href)) as {
    readonly report: { readonly outcome: unknown; readonly crashes: number };
  };
  assert.match(JSON.stringify(report.outcome), /"status":"completed","output":"sent with receipt of /u);
  assert.ok(report.crashes > 20);
});
