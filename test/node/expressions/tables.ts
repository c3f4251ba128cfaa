/** Tables of sources, and the scope that they are read over. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { assertFails, assertInvalid, evaluate } from "./support.ts";

/** What each source gives. */
export type Table = readonly (readonly [source: string, value: unknown])[];

export const scope = {
  input: { flag: true, name: "Ada", n: 4, list: [1, 2, 3], empty: {}, nothing: null, "content-type": "json" },
  nodes: { a: { output: { files: ["x", "y"], n: 2.5 } } },
  vars: { n: 1 },
};

export const says = (title: string, table: Table): void => {
  it(title, () => {
    for (const [source, value] of table) assert.deepEqual(evaluate(source, scope), value, source);
  });
};

export const fails = (title: string, reason: Parameters<typeof assertFails>[1], sources: readonly string[]): void => {
  it(title, () => sources.forEach((source) => assertFails(source, reason, scope)));
};

export const refuses = (title: string, sources: readonly string[], text?: RegExp): void => {
  it(title, () => sources.forEach((source) => assertInvalid(source, text)));
};
