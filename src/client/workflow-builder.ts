/** Definitions of workflows as typed calls: ids and outputs of nodes are known to the compiler, and so are wrong ports. */
import { RuntimeError } from "../core/errors.ts";
import type { NodeSchema, WorkflowInput } from "../core/workflows/definition.ts";
import { invalidWorkflow, type Problem } from "../core/workflows/proofs/problem.ts";
import { validate, type ValidateOptions } from "../core/workflows/proofs/validate.ts";
import type { Metrics } from "../core/tasks/meters.ts";
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
};
type Failure = { readonly node: string; readonly code: string; readonly message: string };

interface PlanScope<Last> extends TurnScope<Last> {
  /** Of the graph that was refused just before. */
  readonly problems: Ref<
    readonly { readonly code: string; readonly nodes: readonly string[]; readonly message: string }[]
  >;
}
type Fired = { readonly dueAt: number; readonly firedAt: number; readonly late: number };
type Watched = { readonly held: boolean; readonly metrics: Metrics };
type Message<Payload> = {
  readonly received: boolean;
  readonly payload: Payload;
  readonly publishedAt: number | null;
};

/** Where a node stands, and what it does to variables. */
interface Placed<Input, Nodes extends object, Id extends string, Output> {
  /** Variables that are written when it completes; its own output is there already. */
  readonly set?: Readonly<Record<string, From<Scope<Input, Nodes & Readonly<Record<Id, Output>>>, unknown>>>;
  /** The nodes with an edge to it. Default: the node before; `[]`: none, it begins with the run. */
  readonly after?: (keyof Nodes & string) | readonly (keyof Nodes & string)[];
}

const DRAWN = Symbol("drawn");
/** A graph that was drawn for a node. */
interface Drawn {
  readonly [DRAWN]: () => WorkflowInput;
}

/** A graph under way; every call gives a new one, and leaves this one as it is. */
export interface WorkflowBuilder<Input, Nodes extends object> extends Drawn {
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
  /** A graph for each item: `body` draws it, and is given what stands for the item, which is `input` in it, too. */
  map<Id extends string, Item, Output = unknown>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"map">, "items" | "task" | "body" | "key"> &
      Placed<Input, Nodes, Id, readonly Output[]> & {
        readonly items: ((scope: Scope<Input, Nodes>) => Expr<readonly Item[]>) | string;
        readonly body: (graph: WorkflowBuilder<Item, object>, scope: ItemScope<Item>) => Drawn;
        readonly returns?: Returns<Output>;
        readonly key?: From<Scope<Input, Nodes> & ItemScope<Item>, string | number>;
      },
  ): Grown<Input, Nodes, Id, readonly Output[]>;
  /** A graph again and again; `returns` says what it puts out, which is `last` in the next one. */
  loop<Id extends string, Output = unknown>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"loop">, "while" | "until" | "task" | "body"> &
      Placed<Input, Nodes, Id, Output> & {
        readonly while?: Ask<Scope<Input, Nodes> & TurnScope<Output>>;
        readonly until?: Ask<Scope<Input, Nodes> & TurnScope<Output>>;
        readonly body: (graph: WorkflowBuilder<unknown, object>, scope: TurnScope<Output>) => Drawn;
        readonly returns?: Returns<Output>;
      },
  ): Grown<Input, Nodes, Id, Output>;
  timer<Id extends string>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"timer">, "for" | "until"> &
      Placed<Input, Nodes, Id, Fired> & {
        readonly for?: number | From<Scope<Input, Nodes>, number>;
        readonly until?: From<Scope<Input, Nodes>, number | string>;
      },
  ): Grown<Input, Nodes, Id, Fired>;
  /** `returns` tells the compiler what messages bring: `returns<{ sum: number }>()`. */
  event<Id extends string, Payload = unknown>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"event">, "key"> &
      Placed<Input, Nodes, Id, Message<Payload>> & {
        readonly key?: From<Scope<Input, Nodes>, string | number>;
        readonly returns?: Returns<Payload>;
      },
  ): Grown<Input, Nodes, Id, Message<Payload>>;
  /** `returns` tells the compiler what the graphs put out that are appended. */
  dynamic<Id extends string, const C extends readonly string[], Output = unknown>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"dynamic">, "capabilities" | "input"> &
      Placed<Input, Nodes, Id, Output> & {
        readonly capabilities: C;
        readonly input?: From<Scope<Input, Nodes> & PlanScope<Output>, Port<C, "input">>;
        readonly returns?: Returns<Output>;
      },
  ): Grown<Input, Nodes, Id, Output>;
  monitor<Id extends string>(
    id: Fresh<Id, Nodes>,
    options: Without<Of<"monitor">, "when"> &
      Placed<Input, Nodes, Id, Watched> & {
        readonly when: Ask<Scope<Input, Nodes> & { readonly metrics: Ref<Metrics> }>;
      },
  ): Grown<Input, Nodes, Id, Watched>;
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
    ...(["timer", "event", "dynamic", "monitor"] as const),
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
    [DRAWN]: () => definition,
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
      if (name === "body" && typeof value === "function") return [name, draw(value as Draw)];
      if (typeof value === "function") return [name, write(value)];
      if (name === "set") return [name, mapValues(value as object, write)];
      return [name, name === "task" || name === "compensate" ? writeFields(value as Record<string, unknown>) : value];
    }),
  );
}

type Draw = (graph: unknown, scope: object) => Drawn;

let draws = 0;

/**
 * The graph that is drawn for a node: it has no name of its own. Within it, other names stand for the item and the like
 * of its own node, so that those of two nodes can be told apart as long as it is drawn.
 */
function draw(body: Draw): object {
  const mark = `__${String(++draws)}__`;
  const own = Object.fromEntries(LOCALS.map((name) => [name, refOf(name + mark)]));
  const { id: _, ...graph } = body(builderOf({ id: "body", nodes: [] }, undefined), own)[DRAWN]();
  for (const node of graph.nodes)
    for (const [field, value] of Object.entries(node))
      if (HIDING[node.type]?.includes(field) && JSON.stringify(value).includes(mark))
        throw new RuntimeError("expression/invalid", {
          node: node.id,
          field,
          reason: "it doesn't see the graph around it",
        });
  return JSON.parse(JSON.stringify(graph).replaceAll(mark, "")) as object;
}

const LOCALS = ["item", "index", "last"] as const;

/** Fields in which these names mean what the node itself has. */
const HIDING: Partial<Record<Kind, readonly string[]>> = {
  map: ["body", "task", "key"],
  loop: ["body", "task", "while", "until"],
  dynamic: ["input"],
};

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

const ROOTS = ["input", "nodes", "vars", "error", "item", "index", "last", "problems", "metrics"] as const;
const SCOPE = Object.fromEntries(ROOTS.map((root) => [root, refOf(root)]));
