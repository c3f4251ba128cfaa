/** The unpacker against archives that were made to hurt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { packFiles } from "../../../src/plugins/audit/pack.ts";
import { unpackAgent, type UnpackOutput } from "../../../src/plugins/audit/unpack.ts";
import { tar, tarBomb, zip, type TarMember } from "./archives.ts";
import { bytesOf, codeOf, createBlobs, folder, run, utf16Of, type Blobs } from "./harness.ts";

const unpack = (archive: Uint8Array, more = {}, blobs: Blobs = createBlobs()): Promise<UnpackOutput> =>
  run(unpackAgent, { archive: blobs.put(archive), name: "code", ...more }, blobs);

const paths = ({ files }: UnpackOutput): readonly string[] => files.map(({ path }) => path);
const rules = ({ findings }: UnpackOutput): readonly string[] => findings.map(({ rule }) => rule);

async function contents(archive: Uint8Array, more = {}): Promise<Record<string, string>> {
  const blobs = createBlobs();
  const { files } = await unpack(archive, more, blobs);
  const read = async ({ path, ref }: (typeof files)[number]) =>
    [path, new TextDecoder().decode(await blobs.blobs.read(ref))] as const;
  return Object.fromEntries(await Promise.all(files.map(read)));
}

const UNSAFE = [
  "../up.js",
  "a/../../up.js",
  "/etc/passwd",
  "C:/windows/x.js",
  "c:x.js",
  "a\\..\\b.js",
  "nul\u0001l.js",
  "line\nbreak.js",
];

describe("unpack", () => {
  it("gives the same files from zip, tar and tar.gz, whatever the archive is called", async () => {
    const files = { "a.js": "eval(x)", "lib/b.ts": "let x = 1;", empty: "" };
    const bytes = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, bytesOf(text)]));
    const asTar = await folder(files);
    for (const archive of [asTar, new Uint8Array(gzipSync(asTar)), zipSync(bytes), zipSync(bytes, { level: 0 })])
      assert.deepEqual(await contents(archive), files);
  });

  it("leaves the folder out that holds everything, and names it", async () => {
    const { root, ...output } = await unpack(await folder({ "package/a.js": "1", "package/b/c.js": "2" }));
    assert.equal(root, "package");
    assert.deepEqual(paths({ root, ...output }), ["a.js", "b/c.js"]);
  });

  it("keeps files in few blobs, none across two, and a large one in its own", async () => {
    const blobs = createBlobs();
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`f${String(at)}.txt`, `${String(at)} `.repeat(2_500)]),
    );
    const archive = await folder({ ...files, "large.txt": "x".repeat(1_500_000) });
    const before = blobs.written.size + 1;
    const output = await unpack(archive, {}, blobs);
    assert.ok(blobs.written.size - before <= 5, `${String(blobs.written.size - before)} blobs`);
    for (const { path, ref, size } of output.files) {
      assert.equal(ref.size, size);
      const text = new TextDecoder().decode(await blobs.blobs.read(ref));
      assert.equal(text, path === "large.txt" ? "x".repeat(1_500_000) : files[path]);
    }
  });

  it("packs a folder into the same bytes in whatever order its files come", async () => {
    const files = ["b.js", "a/deep.js", "A.js", `${"long/".repeat(28)}name.js`].map((path) => ({
      path,
      bytes: bytesOf(path),
    }));
    assert.deepEqual(await packFiles(files), await packFiles([...files].reverse()));
    assert.deepEqual(Object.keys(await contents(await packFiles(files))).length, 4);
  });

  for (const path of UNSAFE) {
    it(`does not unpack ${JSON.stringify(path)}, from a zip or a tar`, async () => {
      for (const archive of [
        zip([
          { name: path, body: "x" },
          { name: "ok.js", body: "1" },
        ]),
        tar([
          { name: path, body: "x" },
          { name: "ok.js", body: "1" },
        ]),
      ]) {
        const output = await unpack(archive);
        assert.deepEqual(paths(output), ["ok.js"]);
        assert.deepEqual(rules(output), ["unpack/unsafe-path"]);
      }
    });
  }

  it("does not unpack a name with a NUL in a zip, nor follow one that a tar's NUL hides", async () => {
    const output = await unpack(zip([{ name: "a.js\0.png", body: "x" }]));
    assert.deepEqual(rules(output), ["unpack/unsafe-path"]);
    assert.deepEqual(paths(await unpack(tar([{ name: "a.js\0/../../x", body: "1" }]))), ["a.js"]);
  });

  it("follows no links, and tells those that lead out from those that do not", async () => {
    const links: TarMember[] = [
      { name: "a/in", type: "2", link: "../b.js" },
      { name: "a/out", type: "2", link: "../../etc/passwd" },
      { name: "abs", type: "2", link: "/etc/passwd" },
      { name: "hard", type: "1", link: "b.js" },
      { name: "hardout", type: "1", link: "../b.js" },
      { name: "dev", type: "3" },
      { name: "fifo", type: "6" },
      { name: "b.js", body: "1" },
    ];
    const output = await unpack(tar(links));
    assert.deepEqual(paths(output), ["b.js"]);
    assert.deepEqual(
      output.findings.map(({ rule, path }) => `${rule} ${path ?? ""}`),
      [
        "link a/in",
        "unsafe-path a/out",
        "unsafe-path abs",
        "link hard",
        "unsafe-path hardout",
        "link dev",
        "link fifo",
      ].map((one) => `unpack/${one}`),
    );
    const zipped = await unpack(
      zip([
        { name: "l", body: "/etc/passwd", mode: 0o120777 },
        { name: "b.js", body: "1" },
      ]),
    );
    assert.deepEqual([paths(zipped), rules(zipped)], [["b.js"], ["unpack/link"]]);
  });

  it("refuses a tar bomb before it is in memory", async () => {
    const bomb = tarBomb(300 * 1024 * 1024);
    assert.ok(bomb.length < 400_000);
    const before = process.memoryUsage().arrayBuffers;
    assert.equal(await codeOf(unpack(bomb)), "audit/archive-too-large");
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024);
  });

  it("refuses a zip bomb by what its headers say, before unpacking a byte", async () => {
    const zeros = new Uint8Array(7 * 1024 * 1024);
    const bomb = zip([
      { name: "a", body: zeros },
      ...Array.from({ length: 200 }, (_, at) => ({ name: `b${String(at)}`, same: 0 })),
    ]);
    const started = performance.now();
    assert.equal(await codeOf(unpack(bomb)), "audit/archive-too-large");
    assert.ok(performance.now() - started < 3_000);
  });

  it("refuses a zip whose headers lie about the size", async () => {
    const body = new Uint8Array(900_000).map((_, at) => (at * 7919) >> 3);
    for (const size of [10, 899_999])
      assert.equal(await codeOf(unpack(zip([{ name: "a", body, size }]))), "audit/archive-too-large");
    assert.equal(await codeOf(unpack(zip([{ name: "a", body, size: 900_001 }]))), "audit/archive-unreadable");
  });

  it("refuses a zip whose entries share their bytes", async () => {
    const body = bytesOf("console.log(1);".repeat(100));
    const overlapping = zip([
      { name: "a.js", body },
      { name: "b.js", same: 0 },
    ]);
    assert.equal(await codeOf(unpack(overlapping)), "audit/archive-unreadable");
  });

  it("refuses a zip that shows other names to those who read it from the front", async () => {
    const two = zip([{ name: "good.js", body: "1", localName: "evil.js" }]);
    assert.equal(await codeOf(unpack(two)), "audit/archive-unreadable");
  });

  it("does not unpack an archive in an archive, so that no nesting of them helps", async () => {
    const inner = zip([{ name: "zeros", body: new Uint8Array(5_000_000) }]);
    const output = await unpack(
      zip([
        { name: "inner.zip", body: inner, stored: true },
        { name: "again.tgz", body: tarBomb(5_000_000) },
      ]),
    );
    assert.deepEqual(rules(output), ["unpack/nested-archive", "unpack/nested-archive"]);
    assert.deepEqual(output.texts, []);
  });

  it("refuses more files, entries, bytes or names than the limits", async () => {
    const many = await folder(
      Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`d/${String(at)}.txt`, "x".repeat(100)])),
    );
    const limits: Record<string, number>[] = [
      { files: 49 },
      { entries: 49 },
      { totalBytes: 4_999 },
      { nameBytes: 100 },
      { archiveBytes: many.length - 1 },
    ];
    for (const one of limits)
      assert.equal(await codeOf(unpack(many, { limits: one })), "audit/archive-too-large", JSON.stringify(one));
    assert.equal((await unpack(many, { limits: { files: 50, entries: 50, totalBytes: 5_000 } })).files.length, 50);
  });

  it("leaves out what is too large, too long or too deep, with a finding each", async () => {
    const archive = await folder({
      "ok.js": "1",
      "large.txt": "x".repeat(2_000),
      [`${"d/".repeat(40)}x.js`]: "1",
      [`${"n".repeat(90)}/${"m".repeat(90)}.js`]: "1",
    });
    const output = await unpack(archive, { limits: { fileBytes: 1_999, depth: 32, pathLength: 100 } });
    assert.deepEqual(paths(output), ["ok.js"]);
    assert.deepEqual([...rules(output)].sort(), [
      "unpack/file-too-large",
      "unpack/unwieldy-path",
      "unpack/unwieldy-path",
    ]);
  });

  it("does not let trifles fill the list before what matters", async () => {
    const links = Array.from({ length: 300 }, (_, at) => ({ name: `l${String(at)}`, type: "2", link: "a.js" }));
    const output = await unpack(tar([...links, { name: "../up.js", body: "1" }]));
    assert.equal(output.findings.length, 201);
    assert.ok(rules(output).includes("unpack/unsafe-path"));
  });

  it("reads the last of two entries of one path, and says that there were two", async () => {
    const output = await unpack(
      tar([
        { name: "a.js", body: "shown" },
        { name: "b.js", body: "1" },
        { name: "./a.js", body: "run" },
      ]),
    );
    assert.deepEqual(rules(output), ["unpack/duplicate-path"]);
    assert.deepEqual(
      await contents(
        tar([
          { name: "a.js", body: "shown" },
          { name: "a.js", body: "run" },
        ]),
      ),
      { "a.js": "run" },
    );
  });

  it("tells paths that are one on some systems, and paths that hide characters", async () => {
    const output = await unpack(
      await folder({
        "Read.js": "1",
        "read.js": "2",
        "caf\u00e9.js": "1",
        "cafe\u0301.js": "2",
        "exe\u202Esj.js": "1",
      }),
    );
    assert.equal(output.files.length, 5);
    assert.deepEqual([...rules(output)].sort(), [
      "unpack/case-collision",
      "unpack/case-collision",
      "unpack/deceptive-path",
    ]);
  });

  it("counts .git and node_modules without reading them, unless asked for the latter", async () => {
    const archive = await folder({
      "app/index.js": "1",
      "app/.git/config": "x",
      "app/node_modules/a/index.js": "1",
      "app/node_modules/a/node_modules/b/index.js": "1",
      "app/packages/p/node_modules/c/index.js": "1",
    });
    const output = await unpack(archive);
    assert.deepEqual(paths(output), ["index.js"]);
    assert.deepEqual(output.skipped, [
      { path: ".git", files: 1 },
      { path: "node_modules", files: 2 },
      { path: "packages/p/node_modules", files: 1 },
    ]);
    assert.equal((await unpack(archive, { includeNodeModules: true })).files.length, 4);
  });

  it("knows kinds by bytes before names", async () => {
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]);
    const wide = new Uint8Array([0xff, 0xfe, ...utf16Of("let x")]);
    const output = await unpack(
      await folder({
        "evil.js": png,
        "wide.js": wide,
        "bin/run": "#!/usr/bin/env node\n1",
        "a.d.ts": "export {}",
        "v.tsx": "1",
        Makefile: "all:",
        "p.json": "{}",
      }),
    );
    const kinds = Object.fromEntries(output.files.map(({ path, kind }) => [path, kind]));
    assert.deepEqual(kinds, {
      Makefile: "text",
      "a.d.ts": "declaration",
      "bin/run": "javascript",
      "evil.js": "binary",
      "p.json": "json",
      "v.tsx": "typescript",
      "wide.js": "javascript",
    });
    assert.deepEqual(
      output.sources.map(({ path }) => path),
      ["bin/run", "v.tsx", "wide.js"],
    );
    assert.equal(output.texts.length, 6);
  });

  it("names encrypted and unusually packed entries", async () => {
    const output = await unpack(
      zip([
        { name: "a.js", body: "1", encrypted: true },
        { name: "b.js", body: "1", method: 12 },
        { name: "c.js", body: "1" },
      ]),
    );
    assert.deepEqual(
      [paths(output), rules(output)],
      [["c.js"], ["unpack/unreadable-entry", "unpack/unreadable-entry"]],
    );
  });
});
