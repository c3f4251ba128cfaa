/** All that can be said of a definition before it runs. */
import { covers } from "../../agents/matching.ts";
import type { Capability, CapabilityVersion } from "../../capabilities/capability.ts";
import { checkSchema, type JsonSchema } from "../../capabilities/schema.ts";
import type { Graph } from "../graph.ts";
import { readPlan } from "../plan.ts";
import { costProblems } from "./costs.ts";
import { conditionProblems, endProblems } from "./ends.ts";
import { portProblems, type Workforce } from "./ports.ts";
import { within, type Problem } from "./problem.ts";
import { reachProblems } from "./reach.ts";
import { readProblems } from "./reads.ts";
import { placeTokens } from "./tokens.ts";

/** What somebody can do, and in which form. */
export interface KnownCapability {
  readonly name: string;
  readonly version?: string | undefined;
  readonly input?: JsonSchema | undefined;
  readonly output?: JsonSchema | undefined;
}

export interface ValidateOptions {
  /** All that anybody can do. Default: it isn't known, and nothing is said of types and of work that nobody does. */
  readonly capabilities?: readonly KnownCapability[] | undefined;
}

/**
 * Finds everything that is wrong with a definition, errors first: those refuse a registration, warnings are told with
 * it. An empty list: nothing was found. It never throws, whatever the definition is.
 * @throws RuntimeError `capability/invalid` for a capability's schema that is none.
 */
export function validate(definition: unknown, { capabilities }: ValidateOptions = {}): readonly Problem[] {
  const { plan, problems } = readPlan(definition);
  const workforce = capabilities && workforceOf(capabilities);
  return plan ? inOrder([...problems, ...provePlan(plan, workforce)]) : problems;
}

/** What can be wrong with a definition that could run, and with the graphs within its nodes. */
export function provePlan(graph: Graph, workforce: Workforce = NOBODY): Problem[] {
  const tokens = placeTokens(graph);
  const paths = reachProblems(tokens);
  const reads = readProblems(graph, tokens);
  const ports = portProblems(graph, workforce);
  const conditions = [...conditionProblems(graph), ...costProblems(graph)];
  const bodies = [...graph.bodies].flatMap(([node, body]) =>
    provePlan(body, workforce).map((problem) => within(node, problem)),
  );
  return inOrder([...conditions, ...paths, ...reads, ...ports, ...endProblems(graph, tokens), ...bodies]);
}

export function isError({ severity }: Problem): boolean {
  return severity === "error";
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems.filter(isError), ...problems.filter((one) => !isError(one))];
}

const NOBODY: Workforce = { capabilities: { known: new Map() } };

function workforceOf(capabilities: readonly KnownCapability[]): Workforce {
  const known = new Map<string, Capability>();
  for (const { name: id, version, input, output } of capabilities) {
    const schemas: CapabilityVersion = { version, input: textOf(input, id), output: textOf(output, id) };
    known.set(id, { id, versions: [...(known.get(id)?.versions ?? []), schemas] });
  }
  const offered = capabilities.map(({ name, version }) => (version === undefined ? name : `${name}@${version}`));
  return {
    capabilities: { known },
    canDo: ({ capabilities: needs }) => needs.every((need) => covers({ capabilities: offered }, need)),
  };
}

function textOf(schema: JsonSchema | undefined, at: string): string | undefined {
  if (schema === undefined) return undefined;
  checkSchema(schema, at);
  return JSON.stringify(schema);
}
