/** One list from many analysers: complete, stable, and the same in whatever order things came. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Finding } from "../../../src/plugins/audit/findings.ts";
import { mergeAgent } from "../../../src/plugins/audit/merge.ts";
import { audit, createBlobs, createChance, folder, placed, run } from "./harness.ts";

const file = (path: string, kind = "javascript") => ({ path, kind });
const nothing = (path: string) => ({ path, findings: [], count: 0 });
const input = (more: object): object => ({
  unpack: { texts: [], files: 0, findings: [] },
  secrets: [],
  static: [],
  dependencies: { findings: [] },
  ...more,
});

const merge = async (given: object) => run(mergeAgent, given, createBlobs());

const CODE: Readonly<Record<string, string>> = {
  "src/a.js": "eval(x);\nconst b = 1;\neval(x);\nel.innerHTML = y;\n",
  "src/b.ts": "new Buffer(z as any);\neval(q as string);",
  "test/c.test.js": "eval(x);",
  "broken.js": "let = = ;",
  "package.json": '{"name": "n", "version": "1.0.0", "dependencies": {"lodash": "^4.0.0", "g": "a/b"}}',
  "big.js": "x".repeat(600_000),
};

describe("merge", () => {
  it("gives the same list and the same report in whatever order things were seen", async () => {
    const archive = await folder(CODE);
    const random = createChance(5);
    const shuffle = <T>(things: T[]): T[] => [...things].sort(() => random() - 0.5);
    const first = await audit(archive);
    assert.ok(first.findings.length > 10);
    for (let round = 0; round < 5; round++) {
      const again = await audit(archive, { shuffle });
      assert.deepEqual(again.findings, first.findings);
      assert.equal(again.html, first.html);
      assert.equal(again.json, first.json);
      assert.equal(again.sarif, first.sarif);
    }
  });

  it("keeps a finding's id when lines move, and tells apart what is alike in one file", async () => {
    const ids = async (code: string) => {
      const { findings } = await audit(await folder({ "a.js": code }));
      return findings.filter(({ rule }) => rule.endsWith("eval-with-expression")).map(({ id, line }) => ({ id, line }));
    };
    const before = await ids("eval(x);\nf();\neval(x);\neval(y);");
    const after = await ids("// new\n\n\neval(x);\nf();\n\n\neval(x);\neval(y);");
    assert.deepEqual(
      before.map(({ id }) => id),
      after.map(({ id }) => id),
    );
    assert.equal(new Set(before.map(({ id }) => id)).size, 3);
    assert.deepEqual(
      after.map(({ line }) => line),
      [4, 8, 9],
    );
    const elsewhere = await audit(await folder({ "b.js": "eval(x);" }));
    assert.notEqual(elsewhere.findings[0]?.id, before[0]?.id);
  });

  it("names the file of every item that failed, for each analyser, without quoting the failure", async () => {
    const { findings, summary } = await audit(await folder(CODE), {
      fail: (node, path) => path === "src/b.ts" || (node === "static" && path === "broken.js"),
    });
    const failed = findings.filter(({ rule }) => rule === "merge/not-analysed");
    assert.deepEqual(failed.map(({ path, message }) => `${path ?? ""}: ${message}`).sort(), [
      'broken.js: The analyser "static" failed: task/timeout.',
      'src/b.ts: The analyser "secrets" failed: task/timeout.',
      'src/b.ts: The analyser "static" failed: task/timeout.',
    ]);
    assert.equal(new Set(failed.map(({ id }) => id)).size, 3);
    assert.equal(summary.notAnalysed, 3); // with big.js, which is too large
  });

  it("names no wrong file when there are more answers than files", async () => {
    const error = { error: { code: "agent/crashed", message: "m" } };
    const merged = await merge(
      input({
        unpack: { texts: [file("a.js")], files: 1, findings: [] },
        secrets: [nothing("a.js"), error],
        static: [error],
      }),
    );
    assert.deepEqual(placed(merged.findings), ["merge/not-analysed :", "merge/not-analysed a.js:"]);
  });

  it("keeps one finding of those that see the same defect, and one of equal ones", async () => {
    const { findings } = await audit(await folder({ "a.js": "eval(x);" }));
    assert.deepEqual(placed(findings), ["static/detect-eval-with-expression a.js:1"]);
    const same = { rule: "static/weak-hash", message: "m", line: 1, column: 1, evidence: "e" };
    const item = { path: "a.js", findings: [same, same, { ...same, line: 2 }], count: 3 };
    const merged = await merge(
      input({ unpack: { texts: [file("a.js")], files: 1, findings: [] }, secrets: [nothing("a.js")], static: [item] }),
    );
    assert.deepEqual(placed(merged.findings), ["static/weak-hash a.js:1", "static/weak-hash a.js:2"]);
  });

  it("ranks by severity and confidence together, then by place", async () => {
    const one = (rule: string, severity: string, confidence: string, path: string, line: number) => ({
      rule,
      severity,
      confidence,
      path,
      line,
      message: `${severity} ${confidence}`,
    });
    const findings = [
      one("unpack/a", "info", "high", "z", 1),
      one("unpack/b", "critical", "low", "a", 1),
      one("unpack/c", "high", "high", "b", 9),
      one("unpack/c", "high", "high", "b", 10),
      one("unpack/c", "high", "high", "a", 3),
      one("unpack/d", "critical", "high", "z", 5),
      one("unpack/e", "medium", "high", "a", 1),
    ];
    const merged = await merge(input({ unpack: { texts: [], files: 0, findings } }));
    const order = merged.findings.map(({ message, path, line }) => `${message} ${path ?? ""}${String(line ?? "")}`);
    assert.deepEqual(order, [
      "critical high z5",
      "high high a3",
      "high high b9",
      "high high b10",
      "critical low a1",
      "medium high a1",
      "info high z1",
    ]);
    assert.deepEqual(merged.summary.bySeverity, { critical: 2, high: 3, medium: 1, low: 0, info: 1 });
    assert.equal(merged.summary.byTool.unpack, 7);
    assert.deepEqual(merged.summary.byRule.find(({ rule }) => rule === "unpack/c")?.count, 3);
  });

  it("lists the weightiest when there are too many, and counts the others", async () => {
    const low = Array.from({ length: 300 }, (_, at) => ({ rule: "unpack/link", message: `m${String(at)}`, path: "a" }));
    const worst = { rule: "unpack/unsafe-path", message: "w", path: "z" };
    const merged = await merge(input({ unpack: { texts: [], files: 0, findings: [...low, worst] }, limit: 100 }));
    assert.equal(merged.findings.length, 100);
    assert.equal(merged.findings[0]?.rule, "unpack/unsafe-path");
    assert.deepEqual([merged.summary.total, merged.summary.omitted, merged.summary.byTool.unpack], [301, 201, 301]);
  });

  it("holds out against a code base that has as many findings as it can", async () => {
    const code = "eval(x);new Buffer(a);el.innerHTML=b;a.hasOwnProperty(c);require(d);\n".repeat(15);
    const files = Object.fromEntries(
      Array.from({ length: 450 }, (_, at) => [`src/some/folder/file-${String(at)}.js`, code]),
    );
    const secret = { "zzz/last.js": "const u = 'postgres://app:hunter2hunter2@db.corp.dev/x';" };
    const result = await audit(await folder({ ...files, ...secret }));
    assert.equal(result.findings.length, 450 * 4 + 1);
    assert.ok(
      placed(result.findings).includes("secrets/PostgreSQLConnection zzz/last.js:1"),
      "the one secret is not drowned",
    );
    assert.ok(result.summary.omitted > 10_000);
    const texts = Object.entries(result.outputs).map(([node, text]) => `${node} ${String(text.length >> 10)}`);
    assert.ok((result.outputs["static"]?.length ?? 0) < 450 * 600, texts.join());
  });

  it("completes findings with what their rule says, and lets an observation say otherwise", async () => {
    const seen = [
      { rule: "unpack/link", message: "m", path: "a" },
      { rule: "unpack/link", message: "n", path: "a", severity: "high", title: "T", help: "H", cwe: "CWE-1" },
      { rule: "unpack/nobody-described-this", message: "o" },
    ];
    const merged = await merge(input({ unpack: { texts: [], files: 0, findings: seen } }));
    const by = (message: string): Finding | undefined => merged.findings.find((one) => one.message === message);
    assert.deepEqual([by("m")?.severity, by("m")?.cwe], ["low", "CWE-59"]);
    assert.deepEqual([by("n")?.severity, by("n")?.title, by("n")?.help, by("n")?.cwe], ["high", "T", "H", "CWE-1"]);
    assert.deepEqual([by("o")?.severity, by("o")?.tool], ["medium", "unpack"]);
  });
});
