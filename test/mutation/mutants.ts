/** The mutants of the core, as StrykerJS makes them, and its switches in the sources. */
import { globSync, readFileSync } from "node:fs";
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** A place in a source, as StrykerJS counts: from 0. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** One change of the core. */
export interface Mutant {
  /** The switch in the instrumented sources; other numbers stand for it when other mutants stand beside it. */
  readonly id: string;
  readonly file: string;
  readonly room: string;
  readonly mutator: string;
  readonly replacement: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

/** The mutants, the sources with their switches in, and how many were left out. */
export interface Instrumented {
  readonly mutants: readonly Mutant[];
  readonly sources: ReadonlyMap<string, string>;
  readonly ignored: number;
}

const quiet = { isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no, isWarnEnabled: no, isErrorEnabled: no };
const silent = {
  ...quiet,
  isFatalEnabled: no,
  trace: none,
  debug: none,
  info: none,
  warn: none,
  error: none,
  fatal: none,
};

function no(): boolean {
  return false;
}

function none(): void {
  // the instrumenter's log is nothing to tell
}

/** All sources of the core, in order. */
export const coreFiles = (): readonly string[] => globSync("src/core/**/*.ts").sort();

/** The room is the folder below `src/core`; files beside the folders are one room. */
const roomOf = (file: string): string => /^src\/core\/([^/]+)\//u.exec(file)?.[1] ?? "core";

/** Puts switches for all mutants of these files into them, or only for those within the places of `chosen`. */
export async function instrument(files: readonly string[], chosen?: readonly Mutant[]): Promise<Instrumented> {
  const within = groupBy(chosen ?? [], ({ file }) => file);
  const inputs = files.map((name) => ({
    name,
    content: readFileSync(name, "utf8"),
    mutate: chosen === undefined || (within.get(name) ?? []).map(({ location }) => location),
  }));
  const options = { plugins: null, excludedMutations: [], ignorers: [detailTexts] };
  const result = await new Instrumenter(silent).instrument(inputs, options);
  const mutants = result.mutants.flatMap(
    ({ id, fileName: file, mutatorName: mutator, replacement, location, status }) =>
      status === "Ignored" ? [] : [{ id, file, room: roomOf(file), mutator, replacement, location }],
  );
  const sources = new Map(result.files.map(({ name, content }) => [name, content]));
  return { mutants, sources, ignored: result.mutants.length - mutants.length };
}

/** The ones of each kind, in order. */
export function groupBy<T>(all: readonly T[], kindOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(kindOf(one));
    if (group) group.push(one);
    else groups.set(kindOf(one), [one]);
  }
  return groups;
}

/** A mutant's name that does not depend on which others are there. */
export function keyOf({ file, mutator, replacement, location: { start, end } }: Mutant): string {
  return [file, start.line, start.column, end.line, end.column, mutator, replacement].join("|");
}

interface Node {
  readonly type: string;
  readonly callee?: { readonly name?: string };
}

interface Path {
  readonly node: Node;
  readonly listKey?: string;
  readonly key?: string | number;
  readonly parentPath?: Path | null;
}

/** Texts in the detail of an error are for people: callers switch on codes, which are mutated like all else. */
const detailTexts = {
  shouldIgnore(path: Path): string | undefined {
    if (path.node.type !== "StringLiteral" && path.node.type !== "TemplateLiteral") return undefined;
    for (let at: Path | null | undefined = path; at; at = at.parentPath) {
      const call = at.parentPath?.node;
      const isDetail = at.listKey === "arguments" && at.key !== 0 && call?.callee?.name === "RuntimeError";
      if (isDetail) return "a text in the detail of an error";
    }
    return undefined;
  },
};
