/** What the audit knows by itself: advisories and licences. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { ADVISORY_TABLE } from "../../../src/plugins/audit/dependencies/advisory-table.ts";
import { judgeLicence } from "../../../src/plugins/audit/dependencies/licences.ts";
import {
  AdvisorySchema,
  createAdvisoryIndex,
  severityOf,
  type Advisory,
} from "../../../src/plugins/audit/dependencies/osv.ts";

describe("licences", () => {
  it("judges licences by SPDX and a policy", () => {
    const cases: Readonly<Record<string, string>> = {
      MIT: "fine",
      "(MIT OR GPL-3.0-only)": "fine",
      "(MIT AND BSD-3-Clause)": "fine",
      "Apache-2.0": "fine",
      "GPL-3.0-or-later": "copyleft",
      "GPL-2.0": "copyleft",
      "AGPL-3.0-only": "copyleft",
      "(MIT AND GPL-3.0-only)": "copyleft",
      "BUSL-1.1": "copyleft",
      "LGPL-3.0-only": "weak-copyleft",
      "MPL-2.0": "weak-copyleft",
      Beerware: "review",
      "LicenseRef-x": "review",
      "MIT/X11": "unknown",
      "SEE LICENSE IN x": "unknown",
      "<script>": "unknown",
      UNLICENSED: "unlicensed",
      unlicensed: "unlicensed",
    };
    for (const [licence, verdict] of Object.entries(cases)) assert.equal(judgeLicence(licence), verdict, licence);
    assert.equal(judgeLicence(undefined), "missing");
    assert.equal(judgeLicence("MIT", { deny: ["MIT"] }), "denied");
    assert.equal(judgeLicence("(MIT OR ISC)", { deny: ["MIT"] }), "fine");
    assert.equal(judgeLicence("GPL-3.0-only", { allow: ["GPL-3.0-only", "no such"] }), "fine");
    assert.equal(judgeLicence("MIT", { allow: [] }), "review");
  });

  it("does not take for ever over a licence that was made to be expanded", () => {
    const began = performance.now();
    assert.equal(judgeLicence(Array.from({ length: 40 }, () => "(MIT OR ISC)").join(" AND ")), "unknown");
    assert.equal(judgeLicence("(".repeat(100_000)), "unknown");
    assert.ok(performance.now() - began < 3_000);
  });
});

describe("the advisory table", () => {
  it("ships a table whose entries are whole, distinct, and affect the version before their fix", () => {
    const table: Advisory[] = v.parse(v.array(AdvisorySchema), ADVISORY_TABLE);
    assert.ok(table.length >= 40);
    assert.equal(new Set(table.map(({ id }) => id)).size, table.length);
    const index = createAdvisoryIndex(table);
    for (const { id, aliases, affected, summary, database_specific: specific } of table) {
      assert.match(id, /^GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}$/u);
      assert.ok(aliases.every((alias) => /^CVE-\d{4}-\d{4,}$/u.test(alias)));
      assert.match(specific?.cwe_ids[0] ?? "", /^CWE-\d+$/u);
      assert.ok(summary.length > 10 && summary.length < 120);
      for (const {
        package: { name },
        ranges,
      } of affected)
        for (const { events } of ranges)
          for (const { fixed, introduced, last_affected: last } of events) {
            const before = last ?? (introduced === undefined || introduced === "0" ? undefined : introduced);
            if (before !== undefined)
              assert.ok(
                index.lookup(name, before).some((match) => match.advisory.id === id),
                `${id} ${before}`,
              );
            if (fixed !== undefined)
              assert.ok(
                index.lookup(name, fixed).every((match) => match.advisory.id !== id),
                `${id} ${fixed}`,
              );
          }
    }
    assert.ok(table.every((one) => ["critical", "high", "medium", "low"].includes(severityOf(one))));
  });
});
