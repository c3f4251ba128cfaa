/**
 * What tests import instead of `node:test` while the core is mutated. It knows the tests by name, so that it can run
 * only those that reach a mutant, the quickest first, and stop at the first that fails, in one process.
 */
import { mock } from "node:test";

export { mock };

type Body = (context: unknown) => unknown;
type Hook = () => unknown;

interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly before: Hook[];
  readonly after: Hook[];
}

/** One test as it was declared. */
export interface Test {
  /** File and names, joined by " > ": the same in every process. */
  readonly id: string;
  readonly suite: Suite;
  readonly body: Body;
}

const tests = new Map<string, Test>();
let current: Suite | undefined;

/** All tests that the files loaded so far have declared. */
export const declared = (): ReadonlyMap<string, Test> => tests;

/** Whatever is declared while `load` runs belongs to this file. */
export async function declaring(file: string, load: () => Promise<unknown>): Promise<void> {
  current = { name: file, parent: undefined, before: [], after: [] };
  await load();
  current = undefined;
}

const here = (): Suite => {
  if (current === undefined) throw new Error("declared outside of a file");
  return current;
};

/** As `describe` of `node:test`; an asynchronous body is none, so options are all there is to read. */
export function describe(name: string, ...rest: readonly unknown[]): void {
  const parent = here();
  current = { name, parent, before: [], after: [] };
  (rest.at(-1) as Hook)();
  current = parent;
}

/** As `it` of `node:test`. */
export function it(name: string, ...rest: readonly unknown[]): void {
  const [options, body] = rest.length > 1 ? rest : [{}, rest[0]];
  if ((options as { skip?: unknown }).skip) return;
  const suite = here();
  const id = uniqueId(`${pathOf(suite)} > ${name}`);
  tests.set(id, { id, suite, body: body as Body });
}

export { it as test };

export const beforeEach = (hook: Hook): void => void here().before.push(hook);
export const afterEach = (hook: Hook): void => void here().after.push(hook);

const pathOf = (suite: Suite): string => (suite.parent ? `${pathOf(suite.parent)} > ${suite.name}` : suite.name);

/** Two tests may have one name, as those that are made in a loop. */
function uniqueId(id: string): string {
  let unique = id;
  for (let number = 2; tests.has(unique); number++) unique = `${id} #${String(number)}`;
  return unique;
}

/** Runs one test with its hooks; throws what it throws. */
export async function runTest({ suite, body }: Test): Promise<void> {
  const suites: Suite[] = [];
  const own: Hook[] = [];
  const context = { mock, diagnostic: () => undefined, after: (hook: Hook): void => void own.push(hook) };
  for (let one: Suite | undefined = suite; one; one = one.parent) suites.unshift(one);
  try {
    for (const hook of suites.flatMap((one) => one.before)) await hook();
    await body(context);
  } finally {
    for (const hook of own) await hook();
    for (const hook of suites.reverse().flatMap((one) => one.after)) await hook();
    mock.reset();
    mock.timers.reset();
  }
}
