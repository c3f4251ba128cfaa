/** Manifests and lockfiles, right, wrong and hostile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dependenciesAgent } from "../../../src/plugins/audit/dependencies.ts";
import { parseSpec } from "../../../src/plugins/audit/dependencies/spec.ts";
import type { Observation } from "../../../src/plugins/audit/findings.ts";
import { bytesOf, codeOf, createBlobs, run } from "./harness.ts";

async function check(files: Readonly<Record<string, unknown>>, more = {}): Promise<readonly Observation[]> {
  const blobs = createBlobs();
  const list = Object.entries(files).map(([path, content]) => {
    const ref = blobs.put(bytesOf(typeof content === "string" ? content : JSON.stringify(content, null, 2)));
    return { path, size: ref.size, ref, kind: "json" };
  });
  return (await run(dependenciesAgent, { files: list, ...more }, blobs)).findings;
}

const rules = (seen: readonly Observation[]): readonly string[] =>
  seen.map(({ rule }) => rule.replace("dependencies/", "")).sort();

const integrity = "sha512-AAAA";
const resolved = "https://registry.example.org/x/-/x-1.0.0.tgz";
const plain = { version: "1.0.0", resolved, integrity, license: "MIT" };
const app = (more: object): object => ({ name: "app", version: "1.0.0", license: "MIT", ...more });
/** A lockfile of version 3 that agrees with the manifest. */
const lock = (manifest: object, packages: object, version = 3): object => ({
  lockfileVersion: version,
  packages: { "": manifest, ...packages },
});

describe("dependencies", () => {
  it("says nothing about a manifest and a lockfile that are in order", async () => {
    const manifest = app({ dependencies: { a: "^1.0.0", "@s/b": "~1.0.0" }, devDependencies: { c: "1.0.0" } });
    const packages = { "node_modules/a": plain, "node_modules/@s/b": plain, "node_modules/c": { ...plain, dev: true } };
    for (const version of [2, 3])
      assert.deepEqual(
        await check({ "package.json": manifest, "package-lock.json": lock(manifest, packages, version) }),
        [],
      );
    const one = { lockfileVersion: 1, dependencies: { a: plain, "@s/b": plain, c: plain } };
    assert.deepEqual(await check({ "package.json": manifest, "npm-shrinkwrap.json": one }), []);
  });

  for (const version of [1, 2, 3]) {
    it(`finds advisories of nested packages in a lockfile of version ${String(version)}`, async () => {
      const manifest = app({ dependencies: { a: "^1.0.0" } });
      const bad = { ...plain, version: "4.17.4" };
      const lockfile =
        version === 1
          ? { lockfileVersion: 1, dependencies: { a: { ...plain, dependencies: { lodash: bad } } } }
          : lock(manifest, { "node_modules/a": plain, "node_modules/a/node_modules/lodash": bad }, version);
      const seen = await check({ "package.json": manifest, "package-lock.json": lockfile });
      assert.deepEqual(rules(seen), [
        "GHSA-29mw-wpgm-hmr9",
        "GHSA-35jh-r3h4-6jhm",
        "GHSA-4xc9-xhrj-v574",
        "GHSA-jf85-cpcp-j695",
        "GHSA-p6mc-m468-83gw",
      ]);
      const worst = seen.find(({ rule }) => rule.endsWith("GHSA-jf85-cpcp-j695"));
      assert.equal(worst?.severity, "critical");
      assert.equal(worst.confidence, "high");
      assert.equal(worst.help, "Update lodash to 4.17.12 or later.");
      const text = JSON.stringify(lockfile, null, 2).split("\n")[(worst.line ?? 0) - 1] ?? "";
      assert.match(text, version === 1 ? /"lodash"/u : /"node_modules\/a\/node_modules\/lodash"/u);
    });
  }

  it("says once that a version is there many times, and knows what is for development only", async () => {
    const bad = { ...plain, version: "1.2.5" };
    const many = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`node_modules/p${String(at)}/node_modules/minimist`, bad]),
    );
    const manifest = app({});
    const [first, ...others] = await check({ "package.json": manifest, "package-lock.json": lock(manifest, many) });
    assert.deepEqual(others, []);
    assert.match(
      first?.message ?? "",
      /^minimist@1\.2\.5 \(in 9 places\) falls under GHSA-xvch-5gv4-984h \(CVE-2021-44906\)/u,
    );
    const [dev] = await check({
      "package-lock.json": lock(manifest, { "node_modules/minimist": { ...bad, dev: true } }),
    });
    assert.equal(dev?.confidence, "medium");
  });

  it("follows an alias to the package's own name", async () => {
    const manifest = app({ dependencies: { safe: "npm:minimist@1.2.5" } });
    const packages = { "node_modules/safe": { ...plain, name: "minimist", version: "1.2.5" } };
    assert.deepEqual(rules(await check({ "package.json": manifest, "package-lock.json": lock(manifest, packages) })), [
      "GHSA-xvch-5gv4-984h",
    ]);
    assert.ok(rules(await check({ "package.json": manifest })).includes("GHSA-xvch-5gv4-984h"));
  });

  it("without a lockfile looks at the lowest version that a range lets in, less sure of it", async () => {
    const seen = await check({
      "package.json": app({
        dependencies: { qs: "^6.10.0", ws: "8.17.0", express: ">=4.20.0 <5" },
        peerDependencies: { lodash: "4.0.0" },
      }),
    });
    assert.deepEqual(rules(seen), ["GHSA-3h5v-q93c-6h6q", "GHSA-hrpp-h998-j3pp", "no-lockfile"]);
    assert.deepEqual(
      seen.map(({ rule, confidence }) => [rule.slice(13, 18), confidence]),
      [
        ["no-lo", undefined],
        ["GHSA-", "medium"],
        ["GHSA-", "high"],
      ],
    );
  });

  it("knows when the audited package is itself a version with an advisory", async () => {
    const seen = await check({ "package.json": { name: "ejs", version: "3.1.6", license: "Apache-2.0" } });
    assert.deepEqual(rules(seen), ["GHSA-ghr5-ch3p-vcr6", "GHSA-phwq-j96m-2c2q"]);
  });

  it("tells sources and ranges that hold nothing", async () => {
    const dependencies = {
      git: "git+https://github.com/a/b.git",
      pinned: "git+ssh://git@github.com/a/b.git#0123456789abcdef0123456789abcdef01234567",
      short: "user/repo#main",
      http: "http://x.dev/a.tgz",
      https: "https://x.dev/a.tgz",
      folder: "file:../a",
      star: "*",
      empty: "",
      atLeast: ">=1.0.0",
      tag: "latest",
      wrong: "^1.x.y.z",
      fine: "^1.2.3",
      finer: ">=1.0.0 <2.0.0",
      work: "workspace:^",
    };
    const seen = await check({
      "package.json": app({ dependencies, scripts: { postinstall: "node x.js", test: "x" } }),
    });
    assert.deepEqual(rules(seen), [
      "folder-dependency",
      "git-dependency",
      "git-dependency",
      "git-dependency",
      "insecure-url",
      "invalid-range",
      "no-lockfile",
      "own-install-script",
      "tag-dependency",
      "unbounded-range",
      "unbounded-range",
      "unbounded-range",
      "url-dependency",
    ]);
    const lines = JSON.stringify(app({ dependencies }), null, 2).split("\n");
    const star = seen.find(({ message }) => message.startsWith("star "));
    assert.match(lines[(star?.line ?? 0) - 1] ?? "", /"star"/u);
    assert.equal(seen.find(({ message }) => message.startsWith("pinned "))?.severity, "low");
  });

  it("tells what a lockfile fails to lock", async () => {
    const manifest = app({});
    const packages = {
      "node_modules/a": { version: "1.0.0", resolved, license: "MIT" },
      "node_modules/b": { ...plain, resolved: "http://registry.example.org/b.tgz" },
      "node_modules/c": { ...plain, resolved: "https://npm.corp.dev/c.tgz" },
      "node_modules/d": { ...plain, hasInstallScript: true },
      "node_modules/e": { version: "1.0.0", resolved: "packages/e", link: true },
    };
    const seen = await check({ "package.json": manifest, "package-lock.json": lock(manifest, packages) });
    assert.deepEqual(rules(seen), ["foreign-registry", "insecure-url", "install-script", "missing-integrity"]);
  });

  it("tells a manifest that its lockfile was not made for, in each version, and in a workspace", async () => {
    const then = app({ dependencies: { a: "^1.0.0" } });
    const now = app({ dependencies: { a: "^2.0.0", b: "^1.0.0" } });
    const tree = { "node_modules/a": plain };
    const old = { lockfileVersion: 1, dependencies: { a: plain } };
    for (const lockfile of [lock(then, tree), old]) {
      const seen = await check({ "package.json": now, "package-lock.json": lockfile });
      assert.deepEqual(rules(seen), ["out-of-sync"]);
      assert.match(seen[0]?.message ?? "", /a, b/u);
    }
    const root = {
      lockfileVersion: 3,
      packages: { "": app({ workspaces: ["packages/*"] }), "packages/p": then, ...tree },
    };
    assert.deepEqual(rules(await check({ "package-lock.json": root, "packages/p/package.json": then })), []);
    assert.deepEqual(rules(await check({ "package-lock.json": root, "packages/p/package.json": now })), [
      "out-of-sync",
    ]);
    assert.deepEqual(rules(await check({ "package-lock.json": root, "packages/q/package.json": then })), [
      "no-lockfile",
    ]);
  });

  it("says that lockfiles of other package managers are not read", async () => {
    const manifest = app({ dependencies: { a: "^1.0.0" } });
    assert.deepEqual(rules(await check({ "package.json": manifest, "yarn.lock": "", "x/pnpm-lock.yaml": "" })), [
      "unsupported-lockfile",
      "unsupported-lockfile",
    ]);
  });

  it("groups packages by licence, reads installed manifests, and knows the older forms", async () => {
    const manifest = app({});
    const packages = {
      "node_modules/a": { ...plain, license: "GPL-3.0-only" },
      "node_modules/b": { ...plain, license: "GPL-3.0-only" },
      "node_modules/c": { version: "1.0.0", resolved, integrity },
      "node_modules/d": { version: "1.0.0", resolved, integrity },
      "node_modules/e": { ...plain, license: { type: "ISC" } },
    };
    const files = {
      "package.json": { ...manifest, license: undefined, licenses: [{ type: "MIT" }, { type: "GPL-2.0" }] },
      "package-lock.json": lock(manifest, packages),
      "node_modules/d/package.json": { name: "d", version: "1.0.0", licenses: [{ type: "BSD-2-Clause" }] },
    };
    const seen = await check(files);
    assert.deepEqual(rules(seen), ["licence-copyleft", "licence-missing"]);
    assert.equal(seen[0]?.message, "GPL-3.0-only: a@1.0.0, b@1.0.0.");
    assert.equal(seen[1]?.message, "No licence is recorded for c@1.0.0.");
  });

  it("is not confused by files that are no JSON, or JSON of other shapes", async () => {
    const shapes: unknown[] = [
      "",
      "{",
      "[]",
      "null",
      "3",
      '"x"',
      "{}",
      { dependencies: [] },
      { dependencies: { a: 3, b: null, c: {} } },
      { name: 3, version: [], scripts: "x", license: [] },
      { dependencies: { __proto__: "1", constructor: "*", toString: "1.0.0" } },
      '{"dependencies": {"__proto__": "*"}, "__proto__": {"x": 1}}',
    ];
    for (const shape of shapes) {
      const seen = rules(await check({ "package.json": shape }));
      assert.ok(
        seen.every((rule) => /^(?:unreadable-manifest|unbounded-range|no-lockfile|invalid-range)$/u.test(rule)),
        seen.join(),
      );
    }
    const locks: unknown[] = [
      "",
      "{",
      "[]",
      "null",
      { lockfileVersion: 9 },
      { lockfileVersion: 3, packages: [] },
      { lockfileVersion: 3, packages: { "node_modules/a": null, "node_modules/": {}, "": 3 } },
      { lockfileVersion: 1, dependencies: { a: { dependencies: 3 } } },
      '{"lockfileVersion": 3, "packages": {"node_modules/__proto__": {"version": "1.0.0"}}}',
    ];
    for (const shape of locks) await check({ "package-lock.json": shape });
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
    assert.deepEqual(rules(await check({ "package.json": "\u{feff}{}" })), []);
  });

  it("reads lockfiles that are nested or large beyond reason", async () => {
    let nested: object = { version: "1.0.0" };
    for (let depth = 0; depth < 2_000; depth++) nested = { version: "1.2.5", dependencies: { minimist: nested } };
    const deep = await check({
      "package-lock.json": JSON.stringify({ lockfileVersion: 1, dependencies: { minimist: nested } }),
    });
    assert.ok(rules(deep).includes("GHSA-xvch-5gv4-984h"));
    const began = performance.now();
    const wide = Object.fromEntries(
      Array.from({ length: 40_000 }, (_, at) => [
        `node_modules/p${String(at)}`,
        { ...plain, license: "GPL-3.0-only", hasInstallScript: true },
      ]),
    );
    const seen = await check({ "package-lock.json": JSON.stringify(lock(app({}), wide)) });
    assert.equal(seen.length, 1_001);
    assert.match(seen.at(-1)?.message ?? "", /^\d+ more are not listed\.$/u);
    assert.ok(performance.now() - began < 15_000);
    for (const version of [1, 3]) {
      const names = Array.from({ length: 50_001 }, (_, at) => `p${String(at)}`);
      const huge =
        version === 3
          ? { lockfileVersion: 3, packages: Object.fromEntries(names.map((name) => [`node_modules/${name}`, plain])) }
          : { lockfileVersion: 1, dependencies: Object.fromEntries(names.map((name) => [name, plain])) };
      assert.deepEqual(rules(await check({ "package-lock.json": JSON.stringify(huge) })), ["unread-packages"]);
    }
  });

  it("says how many manifests it left unread", async () => {
    const files = Object.fromEntries(Array.from({ length: 503 }, (_, at) => [`p${String(at)}/package.json`, {}]));
    const seen = await check(files);
    assert.deepEqual(rules(seen), ["unread-documents"]);
    assert.match(seen[0]?.message ?? "", /^3 were not read/u);
  });

  it("uses the advisories that a host gives, as OSV publishes them, and says which those were", async () => {
    const blobs = createBlobs();
    const osv = {
      schema_version: "1.4.0",
      id: "GHSA-xxxx-yyyy-zzzz",
      modified: "2026-01-01T00:00:00Z",
      summary: "It leaks <b>things</b>",
      aliases: ["CVE-2026-1"],
      severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N" }],
      affected: [
        { package: { ecosystem: "PyPI", name: "a" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }] }] },
        {
          package: { ecosystem: "npm", name: "a" },
          ranges: [
            {
              type: "SEMVER",
              events: [{ fixed: "1.2.0" }, { introduced: "0" }, { introduced: "2.0" }, { last_affected: "2.5.0" }],
            },
          ],
          versions: ["7.0.0"],
        },
      ],
      database_specific: { severity: "HIGH", cwe_ids: ["CWE-200"], github_reviewed: true },
    };
    const withdrawn = { ...osv, id: "GHSA-gone", withdrawn: "2026-02-01T00:00:00Z" };
    const versions = ["1.1.9", "1.2.0", "2.0.0", "2.5.0", "2.5.1", "7.0.0", "1.2.0-rc.1", "nonsense"];
    const packages = Object.fromEntries(
      versions.map((version, at) => [`node_modules/x${String(at)}`, { ...plain, name: "a", version }]),
    );
    const ref = blobs.put(bytesOf(JSON.stringify([osv, withdrawn])));
    const lockRef = blobs.put(bytesOf(JSON.stringify(lock(app({}), packages))));
    const files = [{ path: "package-lock.json", size: lockRef.size, ref: lockRef, kind: "json" }];
    const output = await run(
      dependenciesAgent,
      { files, advisories: { ref, source: "OSV export", date: "2026-02-01" } },
      blobs,
    );
    assert.deepEqual(
      output.findings.map(({ message }) => message.split(" ")[0]),
      ["a@1.1.9", "a@2.0.0", "a@2.5.0", "a@7.0.0", "a@1.2.0-rc.1"],
    );
    assert.deepEqual(output.findings.map(({ help }) => help)[0], "Update a to 1.2.0 or later.");
    assert.deepEqual(output.advisories, { source: "OSV export", date: "2026-02-01", count: 2 });
    const broken = blobs.put(bytesOf('[{"id": 3}]'));
    assert.notEqual(
      await codeOf(run(dependenciesAgent, { files, advisories: { ref: broken, source: "x", date: "x" } }, blobs)),
      "no error",
    );
  });

  it("tells apart what npm lets stand behind a name", () => {
    const kinds = (text: string): string => parseSpec("a", text).kind;
    for (const text of ["^1.0.0", "1", "~1.2", "1.0.0 - 2.0.0", "<2 || >3", "", "*", "x", "npm:@s/b@^1.0.0", "npm:b"])
      assert.equal(kinds(text), "range", text);
    for (const text of [
      "git://x/y",
      "git+ssh://git@x/y",
      "git@github.com:a/b",
      "github:a/b",
      "a/b",
      "a/b#c",
      "https://x/a.git#v1",
    ])
      assert.equal(kinds(text), "git", text);
    for (const text of ["file:x", "./x", "../x", "/x", "link:x", "~/x", "C:\\x"])
      assert.equal(kinds(text), "folder", text);
    for (const text of ["^^1", "1.2.3.4.5", "<script>", "a b c", "x".repeat(10_000)])
      assert.equal(kinds(text), "invalid", text);
  });
});
