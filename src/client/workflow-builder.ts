/** Definitions of workflows as typed calls: ids and outputs of nodes are known to the compiler, and so are wrong ports. */
import type { Vote } from "../core/approvals/policy.ts";
import type { NodeSchema, WorkflowInput } from "../core/workflows/definition.ts";
import { invalidWorkflow, type Problem } from "../core/workflows/proofs/problem.ts";
import { validate, type ValidateOptions } from "../core/workflows/proofs/validate.ts";
import type { InferInput } from "valibot";
import type { Capabilities } from "./capability-types.ts";
import { refOf, writeExpression, type Expr, type Given, type Ref, type Untold } from "./workflow-refs.ts";

type Node = InferInput<typeof NodeSchema>;
type Kind = Node["type"];
type Of<K extends Kind> = Extract<Node, { readonly type: K }>;
type Edge = NonNullable<WorkflowInput["edges"]>[number];

/** What a capability takes or gives, where {@link Capabilities} says so. */
type Port<C extends readonly string[], Part extends string> = C extends readonly [infer First, ...unknown[]]
  ? Plain<First> extends keyof Capabilities
    ? Capabilities[Plain<First>] extends { readonly [P in Part]: infer Value }
      ? Value
      : unknown
    : unknown
  : unknown;
type Plain<Name> = Name extends `${infer Text}@${string}` ? Text : Name;

/** What expressions see. */
export interface Scope<Input, Nodes extends object> {
  readonly input: Ref<Input>;
  readonly vars: Untold;
  /** Behind error edges and handlers; elsewhere it is null. */
  readonly error: Ref<Failure & { readonly detail: unknown; readonly output: unknown }>;
  readonly nodes: { readonly [Id in keyof Nodes]: { readonly output: Ref<Nodes[Id]>; readonly status: Ref<string> } };
}
interface ItemScope<Item> {
  readonly item: Ref<Item>;
  readonly index: Ref<number>;
}
interface TurnScope<Last> {
  readonly index: Ref<number>;
  readonly last: Ref<Last>;
}

/** A value for a port: made of the scope, or an expression as text, whose type nobody checks. */
type From<S, T> = ((scope: S) => Given<T>) | string;
type Ask<S> = ((scope: S) => Expr<boolean> | boolean) | string;

type Without<T, Fields extends PropertyKey> = Omit<T, Fields | "id" | "type" | "set">;
type Work<C extends readonly string[], S> = Without<Of<"task">, "capabilities" | "input" | "compensate"> & {
  readonly capabilities: C;
  readonly input?: From<S, Port<C, "input">>;
};

/** What undoes a task; its `input` sees the task's own output. */
type Undo<S> = Omit<NonNullable<Of<"task">["compensate"]>, "input"> & { readonly input?: From<S, unknown> };

type With<Nodes, Id extends string, Output> = Nodes & Readonly<Record<Id, Output>>;

/** What every node may have. */
interface After<Input, Nodes extends object, Id extends string, Output> {
  /** Variables that are written when it completes; its own output is there already. */
  readonly set?: Readonly<Record<string, From<Scope<Input, With<Nodes, Id, Output>>, unknown>>>;
  /** The nodes with an edge to it. Default: the node before; `[]`: none, it begins with the run. */
  readonly after?: (keyof Nodes & string) | readonly (keyof Nodes & string)[];
}
interface EdgeOptions<S> {
  readonly when?: Ask<S>;
  /** Taken when the node fails: with one of the codes, or with any. */
  readonly onError?: true | readonly string[];
}

/** An id that no node has yet. */
type Fresh<Id extends string, Nodes> = Id extends keyof Nodes ? never : Id;
type Answer = {
  readonly approved: boolean;
  readonly by: string;
  readonly reason: string | null;
  readonly data: unknown;
  /** Where the node says how many it needs. */
  readonly votes?: readonly Vote[];
  /** Where it can be edited: as it is in the end. */
  readonly payload?: unknown;
};
type Failure = { readonly node: string; readonly code: string; readonly message: string };

/** A graph under way; every call gives a new one, and leaves this one as it is. */
export interface WorkflowBuilder<Input, Nodes extends object> {
  task<Id extends string, const C extends readonly string[]>(
    id: Fresh<Id, Nodes>,
    options: Work<C, Scope<Input, Nodes>> &
      After<Input, Nodes, Id, Port<C, "output">> & {
        readonly compensate?: Undo<Scope<Input, With<Nodes, Id, Port<C, "output">>>>;
      },
  ): Grown<Input, Nodes, Id, Port<C, "output">>;
  map<Id extends string, Item, const C extends readonly string[]>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"map">, "items" | "task" | "body" | "key"> &
      After<Input, Nodes, Id, readonly Port<C, "output">[]> & {
        readonly items: ((scope: Scope<Input, Nodes>) => Expr<readonly Item[]>) | string;
        readonly task: Work<C, Scope<Input, Nodes> & ItemScope<Item>>;
        readonly key?: From<Scope<Input, Nodes> & ItemScope<Item>, string | number>;
      },
  ): Grown<Input, Nodes, Id, readonly Port<C, "output">[]>;
  loop<Id extends string, const C extends readonly string[]>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"loop">, "while" | "until" | "task" | "body"> &
      After<Input, Nodes, Id, Port<C, "output">> & {
        readonly while?: Ask<Scope<Input, Nodes> & TurnScope<Port<C, "output">>>;
        readonly until?: Ask<Scope<Input, Nodes> & TurnScope<Port<C, "output">>>;
        readonly task: Work<C, Scope<Input, Nodes> & TurnScope<Port<C, "output">>>;
      },
  ): Grown<Input, Nodes, Id, Port<C, "output">>;
  approval<Id extends string>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"approval">, "payload"> &
      After<Input, Nodes, Id, Answer> & { readonly payload?: From<Scope<Input, Nodes>, unknown> },
  ): Grown<Input, Nodes, Id, Answer>;
  /** `returns` tells the compiler what the other workflow puts out: `returns<{ n: number }>()`. */
  subworkflow<Id extends string, Output = unknown>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"subworkflow">, "input"> &
      After<Input, Nodes, Id, Output> & {
        readonly input?: From<Scope<Input, Nodes>, unknown>;
        readonly returns?: Returns<Output>;
      },
  ): Grown<Input, Nodes, Id, Output>;
  decision<Id extends string>(
    id: Fresh<Id, Nodes>,
    options?: Passing<"decision", Input, Nodes, Id, never>,
  ): Grown<Input, Nodes, Id, never>;
  parallel<Id extends string>(
    id: Fresh<Id, Nodes>,
    options?: Passing<"parallel", Input, Nodes, Id, never>,
  ): Grown<Input, Nodes, Id, never>;
  join<Id extends string>(
    id: Fresh<Id, Nodes>,
    options?: Passing<"join", Input, Nodes, Id, never>,
  ): Grown<Input, Nodes, Id, never>;
  /** It is joined on by its scope, unless `after` is given. */
  errorHandler<Id extends string>(
    id: Fresh<Id, Nodes>,
    options?: Passing<"errorHandler", Input, Nodes, Id, Failure>,
  ): Grown<Input, Nodes, Id, Failure>;
  /** A node of any type as it stands in a definition; it is joined on by `edge` only. */
  node<const N extends Node>(node: N): Grown<Input, Nodes, N["id"], unknown>;
  edge(
    from: keyof Nodes & string,
    to: keyof Nodes & string,
    options?: EdgeOptions<Scope<Input, Nodes>>,
  ): WorkflowBuilder<Input, Nodes>;
  output(value: From<Scope<Input, Nodes>, unknown>): WorkflowBuilder<Input, Nodes>;
  /** Any other field of a definition, such as its title. */
  with(fields: Omit<WorkflowInput, "id" | "nodes" | "edges" | "output">): WorkflowBuilder<Input, Nodes>;
  /** All that is wrong with it. */
  problems(options?: ValidateOptions): readonly Problem[];
  /** The definition as data. @throws RuntimeError `workflow/invalid` for errors; warnings pass. */
  build(options?: ValidateOptions): WorkflowInput;
}

declare const OUTPUT: unique symbol;
/** A type, where there is no value yet. */
export interface Returns<out T> {
  readonly [OUTPUT]?: T;
}
export function returns<T>(): Returns<T> {
  return {};
}

type Passing<K extends Kind, Input, Nodes extends object, Id extends string, Output> = Without<Of<K>, never> &
  After<Input, Nodes, Id, Output>;
type Grown<Input, Nodes extends object, Id extends string, Output> = WorkflowBuilder<Input, With<Nodes, Id, Output>>;

/** Begins a definition. `Input` is what its runs are started with. */
export function workflow<Input = unknown>(id: string): WorkflowBuilder<Input, object> {
  return builderOf({ id, nodes: [] }, undefined) as WorkflowBuilder<Input, object>;
}

/** Goes on with a definition that is data already; `build` gives the same data again. */
export function fromJSON(definition: WorkflowInput): WorkflowBuilder<unknown, Readonly<Record<string, unknown>>> {
  const last = definition.nodes.at(-1)?.id;
  return builderOf(structured(definition), last) as WorkflowBuilder<unknown, Readonly<Record<string, unknown>>>;
}

/** A copy that shares nothing with what it was made from. */
function structured<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

type Options = Readonly<Record<string, unknown>> & {
  readonly after?: string | readonly string[];
  readonly returns?: unknown;
};

/** Fields of nodes that are expressions, and of the work within them. */
const EXPRESSIONS: ReadonlySet<string> = new Set(["input", "items", "key", "while", "until", "payload"]);

function builderOf(definition: WorkflowInput, last: string | undefined): unknown {
  const grow = (changes: Partial<WorkflowInput>, next = last): unknown =>
    builderOf({ ...definition, ...changes }, next);
  const edgesTo = (id: string, after: Options["after"] = last ?? []): Edge[] => [
    ...(definition.edges ?? []),
    ...[after].flat().map((from) => ({ from, to: id })),
  ];
  const add =
    (type: Kind) =>
    (id: string, { after, returns: _, ...options }: Options = {}): unknown => {
      const node = { id, type, ...writeFields(options) } as unknown as Node; // checked when it is built
      const isReached = type === "errorHandler" && after === undefined;
      const edges = isReached ? (definition.edges ?? []) : edgesTo(id, after);
      return grow({ nodes: [...definition.nodes, node], edges }, id);
    };
  const problems = (options?: ValidateOptions): readonly Problem[] => validate(definition, options);
  const kinds: readonly Kind[] = [
    ...(["task", "map", "loop", "approval", "subworkflow", "decision", "parallel", "join", "errorHandler"] as const),
  ];
  return {
    ...Object.fromEntries(kinds.map((kind) => [kind, add(kind)])),
    node: (node: Node) => grow({ nodes: [...definition.nodes, structured(node)] }, node.id),
    edge: (from: string, to: string, { when, onError }: EdgeOptions<unknown> = {}) => {
      const condition = when === undefined ? {} : { when: write(when) };
      const error = onError === undefined ? {} : { on: "error" as const };
      const codes = onError === undefined || onError === true ? {} : { codes: [...onError] };
      return grow({ edges: [...(definition.edges ?? []), { from, to, ...condition, ...error, ...codes }] });
    },
    output: (value: unknown) => grow({ output: write(value) }),
    with: (fields: Partial<WorkflowInput>) => grow(fields),
    problems,
    build(options?: ValidateOptions) {
      const errors = problems(options).filter(({ severity }) => severity === "error");
      if (errors.length > 0) throw invalidWorkflow(errors);
      return structured(definition);
    },
  };
}

function writeFields(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    fields.map(([name, value]) => {
      if (EXPRESSIONS.has(name)) return [name, write(value)];
      if (name === "set") return [name, mapValues(value as object, write)];
      return [name, name === "task" || name === "compensate" ? writeFields(value as Record<string, unknown>) : value];
    }),
  );
}

function mapValues<T>(record: object, change: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** What the function makes of the scope, or the text as it is. */
function write(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "function"
    ? writeExpression((value as (scope: object) => unknown)(SCOPE))
    : writeExpression(value);
}

const ROOTS = ["input", "nodes", "vars", "error", "item", "index", "last"] as const;
const SCOPE = Object.fromEntries(ROOTS.map((root) => [root, refOf(root)]));
