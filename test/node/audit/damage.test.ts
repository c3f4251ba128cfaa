/** The unpacker against archives that are damaged, cut, or none at all: a typed answer each, and no waiting. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { unpackAgent } from "../../../src/plugins/audit/unpack.ts";
import { tar, tgz, zip } from "./archives.ts";
import { bytesOf, codeOf, createBlobs, createChance, folder, run } from "./harness.ts";

async function contents(archive: Uint8Array, more = {}): Promise<Record<string, string>> {
  const blobs = createBlobs();
  const { files } = await run(unpackAgent, { archive: blobs.put(archive), name: "code", ...more }, blobs);
  const read = async ({ path, ref }: (typeof files)[number]) =>
    [path, new TextDecoder().decode(await blobs.blobs.read(ref))] as const;
  return Object.fromEntries(await Promise.all(files.map(read)));
}

describe("unpack, of damaged archives", () => {
  it("refuses what is no archive, or another kind of one", async () => {
    const garbage = new Uint8Array(5_000).map((_, at) => (at * 2654435761) >>> 13);
    const others = [
      new Uint8Array(0),
      bytesOf("hello"),
      garbage,
      bytesOf("BZh91AY&SY"),
      new Uint8Array([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]),
      new Uint8Array(gzipSync(bytesOf("just text ".repeat(100)))),
      new Uint8Array(1_024),
    ];
    for (const bytes of others) assert.equal(await codeOf(contents(bytes)), "audit/archive-unreadable");
  });

  it("reads archives of old npm versions, which lack the end of a tar", async () => {
    assert.deepEqual(await contents(tgz([{ name: "a.js", body: "1" }], { end: false })), { "a.js": "1" });
  });

  it("refuses an archive that was cut anywhere, or changed in its headers", async () => {
    const members = Array.from({ length: 20 }, (_, at) => ({
      name: `f${String(at)}.js`,
      body: `let x${String(at)} = "${"ab".repeat(at * 40)}";`,
    }));
    const whole = [tar(members), tgz(members), zip(members)];
    for (const archive of whole) {
      for (let part = 1; part < 16; part++) {
        const cut = archive.slice(0, Math.floor((archive.length * part) / 16) + 7);
        assert.equal(
          await codeOf(contents(cut)),
          "audit/archive-unreadable",
          `${String(part)}/16 of ${String(archive.length)}`,
        );
      }
    }
    const wrong = tar([
      { name: "a.js", body: "1" },
      { name: "b.js", body: "1", checksum: 4_242 },
    ]);
    assert.equal(await codeOf(contents(wrong)), "audit/archive-unreadable");
    assert.equal(await codeOf(contents(zip([{ name: "a.js", body: "1", crc: 1 }]))), "audit/archive-unreadable");
    assert.equal(
      await codeOf(contents(tar([{ name: "a.js", body: "1", size: 5_000_000 }]))),
      "audit/archive-unreadable",
    );
    assert.equal(
      await codeOf(contents(tgz([{ name: "a.js", body: "1", size: 1_500 }], { end: false }))),
      "audit/archive-unreadable",
    );
  });

  it("comes to an end with a typed answer on archives that are damaged at random", async () => {
    const random = createChance(7);
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `d${String(at % 3)}/f${String(at)}.js`,
        `x${String(at)};`.repeat(at * 30),
      ]),
    );
    const asTar = await folder(files);
    const seeds = [
      asTar,
      new Uint8Array(gzipSync(asTar)),
      zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, bytesOf(text)]))),
    ];
    const outcomes = new Set<string>();
    for (let round = 0; round < 600; round++) {
      const damaged = (seeds[round % 3] ?? asTar).slice();
      for (let hits = 0; hits <= round % 5; hits++)
        damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
      outcomes.add(await codeOf(contents(damaged)));
    }
    for (const outcome of outcomes) assert.match(outcome, /^(?:no error|audit\/archive-(?:unreadable|too-large))$/u);
  });

  it("takes and leaves entries of a tar in any mixture and never waits for ever", async () => {
    const random = createChance(3);
    for (let round = 0; round < 30; round++) {
      const files = Object.fromEntries(
        Array.from({ length: 60 }, (_, at) => [
          `${random() < 0.5 ? "node_modules/m/" : ""}f${String(at)}.txt`,
          "y".repeat(Math.floor(random() ** 4 * 200_000)),
        ]),
      );
      const kept = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith("node_modules")));
      assert.deepEqual(
        await contents(new Uint8Array(gzipSync(await folder(files))), { limits: { ratio: 2_000 } }),
        kept,
      );
    }
  });
});
