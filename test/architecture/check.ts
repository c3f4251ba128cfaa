/** Holds the sources against the rules. Run by `npm run check`; by hand: `node test/architecture/check.ts` (Node 22). */
import { fileURLToPath } from "node:url";
import { findGlobals } from "./globals.ts";
import { readModules, type Import, type Module } from "./modules.ts";
import { ARROWS, BANNED_IN_CORE, CORE_ORDER, ENTRIES, MAX_LINES, PACKAGES } from "./rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const modules = readModules(root);
const violations = [
  ...modules.flatMap(checkSize),
  ...modules.flatMap(({ imports }) => imports.flatMap(checkImport)),
  ...findCycles(modules).map((cycle) => `${cycle.join(" → ")}: a cycle`),
  ...findGlobals(root, "tsconfig.core.json", BANNED_IN_CORE).map(
    (use) => `${use}: not in core, which gets it from a port`,
  ),
];
for (const violation of violations) console.log(violation);
console.log(`${modules.length} modules, ${violations.length} violations`);
process.exitCode = violations.length > 0 || modules.length === 0 ? 1 : 0;

function checkSize({ file, lines }: Module): string[] {
  return lines > MAX_LINES ? [`${file}: ${lines} lines, more than ${MAX_LINES}`] : [];
}

function checkImport(edge: Import): string[] {
  const at = `${edge.from}:${edge.line}`;
  const why = edge.to.startsWith("src/") ? refusal(edge) : refusedPackage(edge);
  return why === undefined ? [] : [`${at} imports ${edge.to}: ${why}`];
}

/** Why an import of one of our files is not allowed, if it isn't. */
function refusal({ from, to, typesOnly }: Import): string | undefined {
  if (isEntry(from)) return undefined;
  if (isEntry(to)) return "only entries import entries";
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === there) return here === "core" ? refusedInCore(from, to) : refusedAmongPlugins(from, to);
  const arrow = ARROWS[here]?.find((each) => each.to === there);
  if (arrow === undefined) return `no arrow ${here} → ${there}`;
  return arrow.typesOnly === true && !typesOnly ? `${here} → ${there} is for types only` : undefined;
}

function refusedInCore(from: string, to: string): string | undefined {
  const [here, there] = [from, to].map((file) => CORE_ORDER.findIndex((group) => group.includes(partOf(file))));
  if (here === undefined || there === undefined) return undefined;
  for (const [file, index] of [
    [from, here],
    [to, there],
  ] as const) {
    if (index < 0) return `"${partOf(file)}" has no place in the order of core`;
  }
  return there > here ? `${partOf(to)} stands to the right of ${partOf(from)}` : undefined;
}

function refusedAmongPlugins(from: string, to: string): string | undefined {
  if (roomOf(from) !== "plugins") return undefined;
  return partOf(from) === partOf(to) ? undefined : "each plugin stands alone";
}

function refusedPackage({ from, to }: Import): string | undefined {
  const allowed = isEntry(from) ? undefined : PACKAGES[roomOf(from)];
  return allowed === undefined || allowed.includes(to) ? undefined : `not a package of ${roomOf(from)}`;
}

function isEntry(file: string): boolean {
  return ENTRIES.some((pattern) => pattern.test(file));
}

/** `src/<room>/…` */
function roomOf(file: string): string {
  return file.split("/")[1] ?? "";
}

/** `src/<room>/<part>/…` or `src/<room>/<part>.ts` */
function partOf(file: string): string {
  return file.split("/")[2]?.replace(/\.ts$/u, "") ?? "";
}

/** One cycle for each knot of modules, of types as well as of values. */
function findCycles(all: readonly Module[]): string[][] {
  const importsOf = new Map(all.map(({ file, imports }) => [file, imports.map(({ to }) => to)]));
  const state = new Map<string, "open" | "done">();
  const cycles: string[][] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file]);
      return;
    }
    state.set(file, "open");
    for (const next of importsOf.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, "done");
  };
  for (const { file } of all) visit(file, []);
  return cycles;
}
