/** Code bases made for tests: as many files as are wanted, each with as much to read and to find. */
import { gzipSync } from "fflate";
import { packTar } from "modern-tar";

export interface CodeBase {
  readonly files: number;
  /** Lines of ordinary code in each. */
  readonly lines?: number;
  /** Lines in each that an analyser reports. */
  readonly faults?: number;
}

/** Files by path; the same for the same numbers. */
export function codeBase({ files, lines = 40, faults = 0 }: CodeBase): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  for (let file = 0; file < files; file++)
    made.set(`src/part-${file % 7}/file-${file}.js`, source(file, lines, faults));
  return made;
}

function source(file: number, lines: number, faults: number): string {
  const plain = Array.from(
    { length: lines },
    (_, at) => `export const value${at} = (input) => input * ${file} + ${at};`,
  );
  const bad = Array.from(
    { length: faults },
    (_, at) => `export const bad${at} = (input) => eval(input + "${file}-${at}");`,
  );
  return [...bad, ...plain, ""].join("\n");
}

/** The files as an npm archive. */
export async function pack(files: ReadonlyMap<string, string>): Promise<Uint8Array> {
  const entries = [...files].map(([path, text]) => {
    const body = new TextEncoder().encode(text);
    return { header: { name: `package/${path}`, size: body.length, type: "file" as const, mtime: new Date(0) }, body };
  });
  return gzipSync(await packTar(entries), { level: 1 });
}
