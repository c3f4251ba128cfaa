/** Agents of tests, written in TypeScript: an isolated agent has to be one self-contained classic script. */
import { build } from "esbuild";
import { join } from "node:path";
import { ROOT } from "./servers.ts";

const made = new Map<string, Promise<string>>();

/** The script of an entry, as a path in the repository. */
export function bundle(entry: string, globalName?: string): Promise<string> {
  const known = made.get(entry) ?? make(entry, globalName);
  made.set(entry, known);
  return known;
}

async function make(entry: string, globalName: string | undefined): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "silent",
    ...(globalName !== undefined && { globalName }),
  });
  return outputFiles[0]?.text ?? "";
}
