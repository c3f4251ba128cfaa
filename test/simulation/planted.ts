/** Plants known bugs, one at a time and never in the tree itself, and sees how soon the simulator finds them. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const FOLDER = ".cache/planted";

/** Seeds that a bug may take, and the milliseconds. */
const SEEDS = 400;
const PATIENCE = 60_000;

/** What a copy needs to run the simulator; packages are found above it. */
const PARTS = ["src", "test/simulation", "test/node/core/everything.ts", "package.json"];

/** True when all of them were found; `name` picks those whose file has it in its name. */
export async function tryPlanted(name = ""): Promise<boolean> {
  const patches = globSync("test/planted/*.patch", { cwd: ROOT }).sort().filter((file) => file.includes(name)); // prettier-ignore
  let missed = 0;
  for (const patch of patches) if (!(await tryOne(patch))) missed++;
  console.log(`${patches.length} planted bugs, ${patches.length - missed} found`);
  return patches.length > 0 && missed === 0;
}

function tryOne(patch: string): Promise<boolean> {
  const bug = basename(patch, ".patch");
  const folder = join(FOLDER, bug);
  rmSync(join(ROOT, folder), { recursive: true, force: true });
  for (const part of PARTS) {
    mkdirSync(dirname(join(ROOT, folder, part)), { recursive: true });
    if (existsSync(join(ROOT, part))) cpSync(join(ROOT, part), join(ROOT, folder, part), { recursive: true });
  }
  execFileSync("git", ["apply", `--directory=${folder}`, patch], { cwd: ROOT, stdio: "inherit" });
  const started = performance.now();
  const { status, stdout } = spawnSync(
    process.execPath,
    [...process.execArgv, join(folder, "test/simulation/main.ts"), "--until-failure", "--seeds", `${SEEDS}`],
    { cwd: ROOT, encoding: "utf8", timeout: PATIENCE, maxBuffer: 1 << 26 },
  );
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const [first = ""] = stdout.split("\n").filter((line) => line.startsWith("seed "));
  const seeds = /(\d+) seeds,/u.exec(stdout)?.[1] ?? "?";
  const isFound = status === 1 && first !== "";
  console.log(`${isFound ? "found " : "MISSED"} ${bug} after ${seeds} seeds, ${seconds} s: ${first.slice(0, 160)}`);
  if (isFound) rmSync(join(ROOT, folder), { recursive: true, force: true });
  return Promise.resolve(isFound);
}
