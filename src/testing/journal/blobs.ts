/** Cases of blobs. */
import type { Journal } from "../../core/ports.ts";
import { equal, refused } from "../claims.ts";
import type { CaseDefinition, JournalHarness } from "./harness.ts";

async function opened(harness: JournalHarness): Promise<Journal> {
  const journal = harness.journal();
  await journal.open();
  return journal;
}

/** Bytes that differ from place to place. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 255);
}

const cases: CaseDefinition[] = [
  {
    name: "gives any slice of a blob, in the same and in a later journal",
    run: async (harness) => {
      const journal = await opened(harness);
      const bytes = pattern(1_500_000);
      await journal.blobs.put("pack", "o", bytes);
      const edges = [0, 1, 4_095, 32_767, 32_768, 32_769, 65_536, 122_880, 1_048_576, 1_499_999, 1_500_000];
      for (const reader of [journal, await opened(harness)]) {
        for (const offset of edges) {
          for (const size of [0, 1, 2, 32_768, 131_073, 1_500_000]) {
            if (offset + size > bytes.length) continue;
            const slice = await reader.blobs.get("pack", offset, size);
            const same = slice.length === size && slice.every((byte, at) => byte === bytes[offset + at]);
            equal(same, true, `get(${offset}, ${size})`);
          }
        }
      }
    },
  },
  {
    name: "refuses slices that reach out of a blob, and blobs it doesn't know",
    run: async (harness) => {
      const { blobs } = await opened(harness);
      await blobs.put("b", "o", pattern(10));
      const slices = [
        [0, 11],
        [10, 1],
        [11, 0],
        [-1, 2],
        [0, -1],
        [0.5, 1],
        [0, 1.5],
        [Number.NaN, 1],
        [0, Number.POSITIVE_INFINITY],
      ] as const;
      for (const [offset, size] of slices) {
        await refused(blobs.get("b", offset, size), "blob/range", `get(${offset}, ${size})`);
      }
      await refused(blobs.get("c", 0, 0), "blob/unknown", "another id");
      await refused(blobs.get("", 0, 0), "blob/unknown", "no id");
    },
  },
  {
    name: "keeps the first bytes and the first owner of an id",
    run: async (harness) => {
      const { blobs } = await opened(harness);
      await blobs.put("b", "first", pattern(3));
      await blobs.put("b", "second", new Uint8Array(70_000));
      equal([...(await blobs.get("b", 0, 3))], [...pattern(3)], "the bytes");
      await refused(blobs.get("b", 0, 4), "blob/range", "beyond the first bytes");
      equal(await blobs.owners(), ["first"], "the owners");
    },
  },
  {
    name: "releases what an owner has, and nothing else",
    run: async (harness) => {
      const { blobs } = await opened(harness);
      const ids = ["a", "a/b", "a\0", "b", ""];
      for (const [at, id] of ids.entries()) await blobs.put(id, `o${at % 2}`, pattern(70_000 + at));
      equal(await blobs.owners(), ["o0", "o1"], "the owners");
      await blobs.release("o0");
      await blobs.release("nobody");
      equal(await blobs.owners(), ["o1"], "the owners that stay");
      for (const [at, id] of ids.entries()) {
        if (at % 2 === 0) await refused(blobs.get(id, 0, 1), "blob/unknown", JSON.stringify(id));
        else equal((await blobs.get(id, 0, 70_000 + at)).length, 70_000 + at, JSON.stringify(id));
      }
      await blobs.put("a", "o2", pattern(2));
      equal([...(await blobs.get("a", 0, 2))], [...pattern(2)], "an id that is used again");
    },
  },
  {
    name: "keeps empty blobs, views into larger buffers, and slices apart from the store",
    run: async (harness) => {
      const { blobs } = await opened(harness);
      await blobs.put("empty", "o", new Uint8Array(0));
      equal((await blobs.get("empty", 0, 0)).length, 0, "an empty blob");
      await blobs.put("view", "o", pattern(100).subarray(10, 13));
      equal([...(await blobs.get("view", 0, 3))], [...pattern(100).slice(10, 13)], "a view");
      equal((await blobs.get("view", 1, 1)).buffer.byteLength, 1, "the buffer behind a slice");
    },
  },
];

/** All cases of blobs. */
export function blobCases(): readonly CaseDefinition[] {
  return cases;
}
