/** The workflow as data, and the whole audit of a real code base. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { planWorkflow } from "../../../src/core/workflows/plan.ts";
import { createAuditWorkflow } from "../../../src/plugins/audit/index.ts";
import { audit, codeOf, folder, placed } from "./harness.ts";

const sample = new URL("../../../node_modules/sample-http-proxy/package.json", import.meta.url);
const script = new URL("../../../scripts/make-sample.js", import.meta.url);

describe("the audit's workflow", () => {
  it("is a definition that the runtime accepts, with every option", () => {
    const options = {
      id: "my-audit",
      limits: { files: 10, fileBytes: 5 },
      includeNodeModules: true,
      licences: { allow: ["MIT"], deny: ["GPL-3.0-only"] },
      concurrency: 3,
      approvers: ["ann", "bob"],
      selfApproval: true,
      review: { timeout: 60_000, onTimeout: "reject" },
    } as const;
    for (const definition of [createAuditWorkflow(), createAuditWorkflow(options)]) {
      const plan = planWorkflow(definition);
      assert.deepEqual(
        [...plan.nodes.keys()],
        ["unpack", "secrets", "static", "dependencies", "joined", "merge", "review", "report"],
      );
      assert.deepEqual(JSON.parse(JSON.stringify(definition)), definition);
    }
    const review = createAuditWorkflow(options).nodes.find(({ id }) => id === "review");
    assert.deepEqual(
      review && "approvers" in review && [review.approvers, review.selfApproval, review.timeout, review.onTimeout],
      [["ann", "bob"], true, 60_000, "reject"],
    );
  });

  it("hands its options on to the agents", async () => {
    const archive = await folder({
      "package.json": '{"name":"a","license":"MIT"}',
      "node_modules/b/index.js": "eval(x)",
      "c.js": "1",
    });
    const limited = audit(archive, { options: { limits: { files: 1 } } });
    assert.equal(await codeOf(limited), "audit/archive-too-large");
    const { findings } = await audit(archive, { options: { includeNodeModules: true } });
    assert.ok(placed(findings).includes("static/detect-eval-with-expression node_modules/b/index.js:1"));
    const lock = { lockfileVersion: 3, packages: { "": {}, "node_modules/b": { version: "1.0.0", license: "ISC" } } };
    const denied = await audit(await folder({ "package-lock.json": JSON.stringify(lock) }), {
      options: { licences: { deny: ["ISC"] } },
    });
    assert.deepEqual(placed(denied.findings), ["dependencies/licence-denied package-lock.json:1"]);
  });

  it(
    "audits the sample: secrets, code and dependencies, the same each time",
    { skip: !existsSync(sample) },
    async () => {
      const { makeSample } = (await import(script.href)) as {
        makeSample(options: { to: string }): Promise<string | undefined>;
      };
      const dir = mkdtempSync(join(tmpdir(), "troupe-sample-"));
      try {
        const [one = "", two = ""] = [
          await makeSample({ to: join(dir, "1.tgz") }),
          await makeSample({ to: join(dir, "2.tgz") }),
        ];
        const archive = new Uint8Array(readFileSync(one));
        assert.deepEqual(archive, new Uint8Array(readFileSync(two)));
        const result = await audit(archive);
        assert.ok(result.unpacked.files.length > 50);
        for (const tool of ["secrets", "static", "dependencies"] as const)
          assert.ok(result.summary.byTool[tool] > 0, tool);
        const found = placed(result.findings);
        for (const one of [
          "secrets/PrivateKey test/fixtures/agent2-key.pem:1",
          "dependencies/GHSA-6x33-pw7p-hmpq package.json:3",
          "static/tls-unverified examples/http/proxy-https-to-https.js:50",
        ])
          assert.ok(found.includes(one), one);
        assert.equal((await audit(archive)).html, result.html);
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  );
});
