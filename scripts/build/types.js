import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCompiler } from "../toolchain.js";

const EMITTED = ".cache/types";
const PUBLISHED = "dist/types";
const ROOMS = ["entries", "worker-entries", "agents", "cell"].map((room) => `tsconfig.${room}.json`);

/**
 * Writes dist/types. The compiler keeps `.ts` in the specifiers of declarations; a package needs `.js`.
 * @returns {Promise<boolean>} whether the types are sound
 */
export async function buildTypes() {
  const { code } = await runCompiler(["-b", ...ROOMS]);
  rmSync(PUBLISHED, { recursive: true, force: true });
  for (const file of globSync("**/*.d.ts", { cwd: EMITTED })) {
    const source = join("src", file.replace(/\.d\.ts$/u, ".ts"));
    if (existsSync(source)) publish(file); // others are left from sources that were deleted or renamed
  }
  return code === 0;
}

/** @param {string} file */
function publish(file) {
  const target = join(PUBLISHED, file);
  mkdirSync(dirname(target), { recursive: true });
  const text = readFileSync(join(EMITTED, file), "utf8");
  writeFileSync(target, text.replace(/((?:from|import)\s*\(?\s*")(\.{1,2}\/[^"]+)\.ts"/gu, '$1$2.js"'));
  cpSync(join(EMITTED, `${file}.map`), `${target}.map`);
}
