/** Archives for the demo's unpacker: honest ones, liars, and damaged ones. */
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { RuntimeError } from "../../../src/core/errors.ts";
import { unpackAgent } from "../../../src/plugins/audit/unpack.ts";
import { tar, tgz, zip, type TarMember, type ZipMember } from "../../node/audit/archives.ts";
import { createBlobs, run } from "../../node/audit/harness.ts";
import { Finding, type Door } from "../door.ts";
import type { Tape } from "../tape.ts";
import { drawText, NUMBERS } from "../values.ts";

const NAMES = [
  "a.js",
  "d/b.ts",
  "../../etc/passwd",
  "/root",
  "C:\\x",
  "__proto__",
  "constructor/prototype",
  "package.json",
  "a\u0000b",
  "A.JS",
  "é.txt",
  "x".repeat(120),
  "node_modules/m/i.js",
  "\u202ecod.js",
  ".",
] as const;
const LIMITS = { archiveBytes: 1e6, totalBytes: 200_000, fileBytes: 50_000, files: 100, entries: 200 };

const drawName = (tape: Tape): string => (tape.once(6) ? drawText(tape).slice(0, 150) : tape.pick(NAMES));
const drawBody = (tape: Tape): string =>
  tape.once(20) ? "0".repeat(300_000) : tape.pick(["let a = 1;", "", "x".repeat(3_000), "{}", "\u0000"]);
const drawSize = (tape: Tape): number =>
  Math.abs(Math.trunc(tape.pick(NUMBERS.filter((one) => Number.isFinite(one) && one < 2 ** 33))));

function drawTarMember(tape: Tape): TarMember {
  return {
    name: drawName(tape),
    body: drawBody(tape),
    type: tape.pick(["0", "0", "0", "1", "2", "3", "5", "6", "x", "g", "L", "7", "\u0000"]),
    ...(tape.once(4) && { link: drawName(tape) }),
    ...(tape.once(6) && { size: drawSize(tape) }),
    ...(tape.once(10) && { checksum: tape.below(9_999) }),
  };
}

function drawZipMember(tape: Tape, at: number): ZipMember {
  return {
    name: drawName(tape),
    body: drawBody(tape),
    stored: tape.once(3),
    ...(tape.once(6) && { size: drawSize(tape) }),
    ...(tape.once(10) && { crc: tape.below(99) }),
    ...(tape.once(8) && { localName: drawName(tape) }),
    ...(tape.once(5) && { mode: tape.pick([0o120777, 0o100644, 0o040755, 0o060000]) }),
    ...(tape.once(15) && { encrypted: true }),
    ...(tape.once(15) && { method: tape.below(100) }),
    ...(at > 0 && tape.once(8) && { same: tape.below(at) }),
  };
}

function drawArchive(tape: Tape): Uint8Array {
  const count = tape.below(6);
  const places = Array.from({ length: count }, (_none, at) => at);
  switch (tape.below(4)) {
    case 0:
      return tar(
        places.map(() => drawTarMember(tape)),
        { end: !tape.once(8) },
      );
    case 1:
      return tgz(places.map(() => drawTarMember(tape)));
    case 2:
      return zip(places.map((at) => drawZipMember(tape, at)));
    default:
      return Uint8Array.from({ length: tape.below(600) }, () => tape.below(256));
  }
}

/** Bytes that are others; of what is packed by gzip also those within. */
function damage(tape: Tape, bytes: Uint8Array): Uint8Array {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8 && tape.once(2);
  const damaged = new Uint8Array(isPacked ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes);
  if (damaged.length === 0) return damaged;
  for (let hits = 1 + tape.below(4); hits > 0; hits--)
    damaged[tape.below(damaged.length)] = tape.pick([0, 255, 1, 0x2f, tape.below(256)]);
  const cut = tape.once(6) ? damaged.slice(0, tape.below(damaged.length)) : damaged;
  return isPacked ? new Uint8Array(gzipSync(cut)) : cut;
}

export const archives: Door = {
  name: "archives",
  length: 20,
  open(tape, look) {
    return {
      async turn() {
        const whole = drawArchive(tape);
        const bytes = tape.below(2) === 0 ? whole : damage(tape, whole);
        look.input(bytes);
        look.outcome(await outcomeOf(bytes));
      },
    };
  },
};

async function outcomeOf(bytes: Uint8Array): Promise<string> {
  const blobs = createBlobs();
  try {
    const { files } = await run(unpackAgent, { archive: blobs.put(bytes), name: "a", limits: LIMITS }, blobs);
    for (const { path, size } of files)
      if (path.startsWith("/") || path.split("/").includes("..") || size > LIMITS.fileBytes)
        throw new Finding("unsafe path", path);
    return "taken";
  } catch (thrown) {
    if (!(thrown instanceof RuntimeError) || !thrown.code.startsWith("audit/archive-")) throw thrown;
    return thrown.code;
  }
}
