/** A code base of the size that people have, with planted defects; prints how long each step takes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { audit, createChance, folder, placed } from "./harness.ts";

const random = createChance(2_024);
const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
const WORDS = ["user", "order", "total", "index", "value", "client", "result", "config", "handler", "item"] as const;

function functionOf(typed: boolean): string {
  const [a, b, c] = [pick(WORDS), pick(WORDS), pick(WORDS)];
  const kind = typed ? ": Record<string, number>" : "";
  return `/** Adds the ${a} to the ${b}. */
export function ${a}Of${b}${String(Math.floor(random() * 1e6))}(${c}${kind}, count${typed ? ": number" : ""} = 1) {
  const list = Object.entries(${c}).filter(([name, one]) => one > count && name !== "${a}");
  for (const [name, one] of list) {
    if (one % 2 === 0) console.log(\`\${name}: \${one * count}\`);
    else list.sort((x, y) => x[1] - y[1]);
  }
  return list.length > 0 ? list.map(([name]) => name.toUpperCase()).join(", ") : "${b}";
}
`;
}

function sourceOf(bytes: number, typed: boolean): string {
  let text = "";
  while (text.length < bytes) text += functionOf(typed);
  return text;
}

/** 2,000 files and 20 MB: a quarter of the files is code, as in a repository with documents, data and pictures. */
function tree(): Record<string, string | Uint8Array> {
  const files: Record<string, string | Uint8Array> = {};
  for (let at = 0; at < 2_000; at++) {
    const dir = `packages/p${String(at % 40)}/${pick(["src", "lib", "src/deep/er"])}`;
    if (at % 4 === 0)
      files[`${dir}/f${String(at)}.${at % 8 === 0 ? "ts" : "js"}`] = sourceOf(4_000 + random() * 4_000, at % 8 === 0);
    else if (at % 4 === 1)
      files[`${dir}/f${String(at)}.json`] = JSON.stringify(
        Array.from({ length: 250 }, () => ({ name: pick(WORDS), value: random() })),
      );
    else if (at % 4 === 2)
      files[`${dir}/f${String(at)}.md`] =
        `# ${pick(WORDS)}\n\n${"Some words about it, and then some more. ".repeat(300)}`;
    else files[`${dir}/f${String(at)}.png`] = new Uint8Array(9_000).map(() => Math.floor(random() * 256));
  }
  return files;
}

const PLANTED: Readonly<Record<string, readonly [code: string, rule: string, line: number]>> = {
  "packages/p1/src/run.js": [
    "// starts it\nimport { exec } from 'node:child_process';\nexports = exec(`git log ${x}`);",
    "static/detect-child-process",
    3,
  ],
  "packages/p2/src/page.tsx": [
    "const a = 1;\nexport const P = () => <p dangerouslySetInnerHTML={{ __html: a }} />;",
    "static/html-injection",
    2,
  ],
  "packages/p3/src/db.ts": [
    "export const q = (id: string) =>\n  db.query(`SELECT name FROM users WHERE id = ${id}`);",
    "static/sql-injection",
    2,
  ],
  "packages/p4/.env": [
    "A=1\nDATABASE_URL=postgres://app:s3cr3tpassw0rd@db.corp.dev:5432/main\n",
    "secrets/PostgreSQLConnection",
    2,
  ],
  "packages/p5/package.json": [
    '{\n  "name": "p5",\n  "license": "MIT",\n  "dependencies": {\n    "minimist": "1.2.5"\n  }\n}',
    "dependencies/GHSA-xvch-5gv4-984h",
    5,
  ],
  "packages/p6/src/broken.js": ["const a = 1;\nconst = 2;", "static/parse-error", 2],
};

/** What is found beside the planted defects, and is right or a matter of taste. */
const BESIDE = new Set(["dependencies/no-lockfile packages/p5/package.json:1"]);

describe("a code base of 2,000 files and 20 MB", () => {
  it("has all planted defects found, and nothing that is not known", { timeout: 300_000 }, async () => {
    const files = { ...tree(), ...Object.fromEntries(Object.entries(PLANTED).map(([path, [code]]) => [path, code])) };
    const archive = new Uint8Array(gzipSync(await folder(files), { level: 1 }));
    const result = await audit(archive);
    const { bytes } = result.unpacked;
    const found = new Set(placed(result.findings));
    const missed = Object.entries(PLANTED).filter(
      ([path, [, rule, line]]) => !found.has(`${rule} ${path.replace(/^packages\//u, "")}:${String(line)}`),
    );
    assert.deepEqual(missed, []);
    const planted = new Set(
      Object.entries(PLANTED).map(
        ([path, [, rule, line]]) => `${rule} ${path.replace(/^packages\//u, "")}:${String(line)}`,
      ),
    );
    const known = new Set([...BESIDE].map((one) => one.replace(" packages/", " ")));
    const unexpected = [...found].filter((one) => !planted.has(one) && !known.has(one));
    assert.deepEqual(unexpected, []);
    const { unpacked, times } = result;
    const each = (node: string, count: number): string => `${((times[node] ?? 0) / count).toFixed(1)} ms a file`;
    console.log(
      `${String(unpacked.files.length)} files, ${(bytes / 1e6).toFixed(1)} MB, processor time: unpack ${(times["unpack"] ?? 0).toFixed(0)} ms, ` +
        `secrets ${each("secrets", unpacked.texts.length)} (${String(unpacked.texts.length)}), ` +
        `static ${each("static", unpacked.sources.length)} (${String(unpacked.sources.length)}), ` +
        `dependencies ${(times["dependencies"] ?? 0).toFixed(0)} ms, merge ${(times["merge"] ?? 0).toFixed(0)} ms`,
    );
  });
});
