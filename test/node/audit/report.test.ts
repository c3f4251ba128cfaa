/** The three reports: valid, escaped, complete, and the same bytes for the same findings. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv, type ValidateFunction } from "ajv";
import type { Log, Result } from "sarif";
import { audit, createBlobs, folder, run, type Audited } from "./harness.ts";
import { reportAgent } from "../../../src/plugins/audit/report.ts";

/** The official schema. It is of an older draft, and names formats that ajv leaves to others. */
const validateSarif: ValidateFunction = (() => {
  const path = new URL("../../fixtures/audit/sarif-2.1.0.schema.json", import.meta.url);
  const { id: _, $schema: __, ...schema } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  ajv.addFormat("uri", (text: string) => URL.canParse(text));
  ajv.addFormat("uri-reference", (text: string) => URL.canParse(text, "https://x/") && !/[\s<>"\\^`{|}]/u.test(text));
  ajv.addFormat("date-time", () => true);
  return ajv.compile(schema);
})();

function sarifOf({ sarif }: Audited): Log {
  const log = JSON.parse(sarif) as Log;
  assert.ok(validateSarif(log), JSON.stringify(validateSarif.errors?.slice(0, 5)));
  return log;
}

const resultsOf = (log: Log): readonly Result[] => log.runs[0]?.results ?? [];

const HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`&amp;{{x}}${y}]]>-->\u202e\u0000\u2028";
const NAMES = [
  "<script>alert(1)<script>.js",
  'a" onmouseover="alert(1).js',
  "x'y&z.js",
  "javascript:alert(1).js",
  "a b#c?d%20e.js",
  "\u202egpj.js",
  "-->.js",
  "é日本😀.js",
];

/** A tag soup reader that is good enough to see whether anything came out of its place. */
function tagsOf(html: string): readonly string[] {
  return [...html.replace(/<style>[^]*?<\/style>/u, "").matchAll(/<\/?([a-z][a-z0-9]*)\b([^>]*)>/giu)].map(
    ([, name = "", rest = ""]) =>
      `${name.toLowerCase()}${/\son\w+\s*=/iu.test(rest.replace(/"[^"]*"/gu, '""')) ? " with a handler" : ""}`,
  );
}

async function hostile(): Promise<Audited> {
  const files = Object.fromEntries(NAMES.map((name) => [`dir/${name}`, `eval(x); // ${HOSTILE}\nlet ${HOSTILE}`]));
  const manifest = {
    name: HOSTILE,
    version: "1.0.0",
    license: HOSTILE,
    dependencies: { [HOSTILE]: "*", "</pre><script>": HOSTILE, lodash: "4.17.4" },
  };
  return audit(
    await folder({
      ...files,
      "ok.js": `eval(${JSON.stringify(HOSTILE)} + x);`,
      "package.json": JSON.stringify(manifest),
    }),
  );
}

describe("report", () => {
  it("is valid SARIF, for everything that the analysers can say", async () => {
    const log = sarifOf(await hostile());
    const [first] = log.runs;
    assert.ok((first?.results?.length ?? 0) > 10);
    const rules = first?.tool.driver.rules ?? [];
    for (const result of resultsOf(log)) {
      assert.equal(rules[result.ruleIndex ?? -1]?.id, result.ruleId);
      assert.match(result.partialFingerprints?.["troupeFinding/v1"] ?? "", /^[0-9a-f]{20}$/u);
      for (const { physicalLocation } of result.locations ?? []) {
        assert.equal(physicalLocation?.artifactLocation?.uriBaseId, "%SRCROOT%");
        const { origin, pathname, search, hash } = new URL(
          physicalLocation.artifactLocation.uri ?? "",
          "https://root.example/repo/",
        );
        assert.deepEqual([origin, pathname.startsWith("/repo/"), search, hash], ["https://root.example", true, "", ""]);
      }
    }
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
  });

  it("gives no address to entries that were refused for theirs", async () => {
    const { tar } = await import("./archives.ts");
    const log = sarifOf(
      await audit(
        tar([
          { name: "../../etc/passwd", body: "x" },
          { name: "/abs", body: "x" },
          { name: "ok.js", body: "1" },
        ]),
      ),
    );
    for (const { locations = [] } of resultsOf(log)) {
      assert.equal(locations[0]?.physicalLocation, undefined);
      assert.match(locations[0]?.logicalLocations?.[0]?.fullyQualifiedName ?? "", /etc\/passwd|abs/u);
    }
    assert.equal(resultsOf(log).length, 2);
  });

  it("shows dismissed findings as suppressed, with the reason, and keeps them out of the count", async () => {
    const archive = await folder({ "a.js": "eval(x);\nel.innerHTML = y;\nnew Buffer(z);" });
    const { findings } = await audit(archive);
    const [one, two, three] = findings.map(({ id }) => id);
    const decisions = {
      accepted: [one, "no-such-finding"],
      dismissed: [{ id: two, reason: `fine ${HOSTILE}` }, { id: "nor-this" }, { id: one }],
      by: `ann ${HOSTILE}`,
    };
    const result = await audit(archive, { decisions });
    const states = resultsOf(sarifOf(result)).map(({ suppressions = [], properties }) => [
      suppressions.length,
      properties?.["decision"] as string,
    ]);
    assert.deepEqual(states, [
      [0, "accepted"],
      [1, "dismissed"],
      [0, "open"],
    ]);
    assert.deepEqual([result.counts["accepted"], result.counts["dismissed"], result.counts["open"]], [1, 1, 1]);
    assert.match(result.html, /Dismissed:<\/strong> fine &lt;script&gt;/u);
    assert.match(result.html, /Reviewed by ann &lt;script&gt;/u);
    const json = JSON.parse(result.json) as { findings: { id: string; decision: { kind: string } }[] };
    assert.deepEqual(
      json.findings.map(({ id, decision }) => [id, decision.kind]),
      [
        [one, "accepted"],
        [two, "dismissed"],
        [three, "open"],
      ],
    );
  });

  it("escapes whatever the code base says, in names and in contents", async () => {
    const { html } = await hostile();
    const allowed = new Set([
      "html",
      "head",
      "meta",
      "title",
      "style",
      "body",
      "header",
      "main",
      "h1",
      "h2",
      "h3",
      "p",
      "section",
      "svg",
      "rect",
      "table",
      "caption",
      "thead",
      "tbody",
      "tr",
      "th",
      "td",
      "article",
      "span",
      "code",
      "pre",
      "small",
      "a",
      "ul",
      "li",
      "strong",
      "details",
      "summary",
    ]);
    const wrong = tagsOf(html).filter((tag) => !allowed.has(tag));
    assert.deepEqual(wrong, []);
    assert.doesNotMatch(html.replaceAll("\n", ""), /[\p{Cc}\u202e\u2028]/u);
    for (const [, href = ""] of html.matchAll(/href="([^"]*)"/gu))
      assert.match(
        href,
        /^https:\/\/(?:cwe\.mitre\.org\/data\/definitions\/\d+\.html|github\.com\/advisories\/GHSA[-\w]+)$/u,
      );
  });

  it("runs no script and loads nothing: its policy allows its own style alone", async () => {
    const { html } = await hostile();
    const style = /<style>([^]*?)<\/style>/u.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/u.exec(html)?.[1]?.replaceAll("&#39;", "'");
    assert.equal(policy, `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    assert.ok(html.indexOf("Content-Security-Policy") < html.indexOf("<title>"));
    const [, body = ""] = html.split("</style>");
    assert.doesNotMatch(body, /<(?:script|link|iframe|object|img)\b|<[a-z][^<>]*\s(?:style|src|on\w+)=/iu);
  });

  it("is a document with a language, a title, one h1, headings in order and labelled regions", async () => {
    const { html } = await hostile();
    assert.match(html, /^<!doctype html>\s*<html lang="en">/iu);
    assert.equal([...html.matchAll(/<h1/gu)].length, 1);
    const levels = [...html.matchAll(/<h([1-6])/gu)].map(([, level]) => Number(level));
    for (const [at, level] of levels.entries()) assert.ok(level <= (levels[at - 1] ?? 0) + 1);
    const ids = [...html.matchAll(/\sid="([^"]*)"/gu)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, id = ""] of html.matchAll(/aria-labelledby="([^"]*)"/gu)) assert.ok(ids.includes(id), id);
    assert.match(html, /<svg role="img" aria-label="Critical \d+, High \d+/u);
    assert.match(html, /prefers-color-scheme:\s*dark/u);
    assert.match(html, /@media print/u);
  });

  it("says what was not looked at, and where the advisories came from", async () => {
    const { html } = await audit(await folder({ "a.js": "let = ;", "node_modules/a/x.js": "1", "package.json": "{}" }));
    assert.match(html, /1 file could not be analysed/u);
    assert.match(html, /node_modules<\/code> was left out: 1 file\./u);
    assert.match(
      html,
      /offline extract of the GitHub Advisory Database, \d+ entries, published up to \d{4}-\d{2}-\d{2}/u,
    );
  });

  it("is whole for a code base without findings, and for one without anything", async () => {
    for (const files of [{ "a.js": "export const a = 1;" }, { "empty.txt": "" }]) {
      const result = await audit(await folder(files));
      assert.deepEqual(result.findings, []);
      assert.deepEqual(resultsOf(sarifOf(result)), []);
      assert.match(result.html, /Nothing was found/u);
    }
  });

  it("depends on nothing but its input: no time, no chance, the same bytes twice", async () => {
    const archive = await folder({ "a.js": "eval(x);", "package.json": '{"dependencies":{"lodash":"1.0.0"}}' });
    const first = await audit(archive);
    const now = Date.now;
    const random = Math.random;
    Date.now = () => 4_102_444_800_000;
    Math.random = () => 0.123;
    try {
      const again = await audit(archive);
      assert.deepEqual([again.html, again.json, again.sarif], [first.html, first.json, first.sarif]);
    } finally {
      Date.now = now;
      Math.random = random;
    }
  });

  it("takes no decisions, and decisions without lists, for undecided", async () => {
    const { findings, summary } = await audit(await folder({ "a.js": "eval(x);" }));
    for (const decisions of [null, {}, { by: "x" }]) {
      const output = await run(reportAgent, { name: "n", findings, summary, decisions, by: null }, createBlobs());
      assert.deepEqual([output.counts.open, output.counts.accepted], [1, 0]);
    }
  });
});
