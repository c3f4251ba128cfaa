/** What an expression will give, as far as the schemas of capabilities tell, and what surely fails in it. */
import { isMacro } from "../../expressions/check.ts";
import type { ExpressionAst } from "../../expressions/index.ts";
import { ANYTHING, either, kindOf, ofKind, words, type Kind, type Shape } from "./shapes.ts";

export interface Typing {
  /** The shape of what a root of the scope holds; of `nodes` that of a node's output. */
  readonly roots: Readonly<Record<string, Shape>>;
  readonly outputOf: (node: string) => Shape;
  /** Told of every part that surely fails, in a sentence. */
  readonly complain: (sentence: string) => void;
}

const BOOLEAN = ofKind("boolean");
const NUMBER = ofKind("number");
const TEXT = ofKind("string");

const RESULTS: ReadonlyMap<string, Shape> = new Map([
  ..."! && || == != < <= > >= in has startsWith endsWith contains".split(" ").map((op) => [op, BOOLEAN] as const),
  ..."- * / % size int double".split(" ").map((op) => [op, NUMBER] as const),
  ["string", TEXT],
]);

export function typeOf(ast: ExpressionAst, typing: Typing): Shape {
  const { op, args, value } = ast;
  switch (op) {
    case "literal":
      return { ...ofKind(kindOf(value)), is: { value } };
    case "name":
      return typing.roots[String(value)] ?? ANYTHING;
    case "list":
      return { ...ofKind("array"), parts: args.map((part) => typeOf(part, typing)) };
    case "map":
      return mapShape(args, typing);
    case ".":
    case "[":
      return select(ast, typing);
    case "?":
      return choose(args, typing);
    case "&&":
    case "||":
    case "has":
      return BOOLEAN; // what fails in a part may be made good by the other
    default:
      return isMacro(op) ? each(op, args, typing) : operate(op, args, typing);
  }
}

/** What is missing on a side that isn't evaluated does no harm. */
function choose([test, one, other]: readonly ExpressionAst[], typing: Typing): Shape {
  if (test) typeOf(test, typing);
  const calm = { ...typing, complain: () => undefined };
  return one && other ? either(typeOf(one, calm), typeOf(other, calm)) : ANYTHING;
}

/** What is asked of each item may never be asked, or fail where another item decides. */
function each(op: string, [over]: readonly ExpressionAst[], typing: Typing): Shape {
  const { kinds, items } = over ? typeOf(over, typing) : ANYTHING;
  if (kinds && !kinds.has("array") && !kinds.has("object"))
    typing.complain(`'${op.slice(5)}' doesn't take ${words(kinds)}`);
  if (op === "each.map") return ofKind("array");
  return op === "each.filter" ? { ...ofKind("array"), ...(items && { items }) } : BOOLEAN;
}

function mapShape(args: readonly ExpressionAst[], typing: Typing): Shape {
  const fields = new Map<string, Shape>();
  let isClosed = true;
  for (let at = 0; at < args.length; at += 2) {
    const [key, part] = [args[at], args[at + 1]];
    const shape = part ? typeOf(part, typing) : ANYTHING;
    if (key?.op === "literal") fields.set(String(key.value), shape);
    else isClosed = false;
  }
  return { ...ofKind("object"), fields, has: new Set(fields.keys()), isClosed };
}

function select({ args }: ExpressionAst, typing: Typing): Shape {
  const [holder, key] = args;
  if (!holder || !key) return ANYTHING;
  const name = key.op === "literal" ? key.value : undefined;
  const [root, node] = holder.args;
  if (root?.op === "name" && root.value === "nodes" && name === "output" && node?.op === "literal")
    return typing.outputOf(String(node.value));
  const shape = typeOf(holder, typing);
  if (!shape.kinds) return ANYTHING;
  if (typeof name === "string") return field(shape, name, holder, typing);
  const isList = shape.kinds.has("array");
  if (typeof name === "number" && !isList) typing.complain(`${sourceOf(holder)} is ${words(shape.kinds)}, no list`);
  return isList && shape.kinds.size === 1 ? (shape.items ?? ANYTHING) : ANYTHING;
}

function field({ kinds, fields, isClosed }: Shape, name: string, holder: ExpressionAst, typing: Typing): Shape {
  if (kinds && !kinds.has("object")) typing.complain(`${sourceOf(holder)} is ${words(kinds)}, which has no '${name}'`);
  else if (isClosed && !fields?.has(name))
    typing.complain(
      `${sourceOf(holder)} has no '${name}', only ${[...(fields?.keys() ?? [])].join(", ") || "nothing"}`,
    );
  return kinds?.size === 1 ? (fields?.get(name) ?? ANYTHING) : ANYTHING;
}

function operate(op: string, args: readonly ExpressionAst[], typing: Typing): Shape {
  const [a = ANYTHING, b] = args.map((part) => typeOf(part, typing));
  if (op === "+") return sum(a, b ?? ANYTHING, typing);
  const wanted: Kind | undefined = "-*/%".includes(op) ? "number" : op === "!" ? "boolean" : undefined;
  for (const { kinds } of wanted ? [a, b ?? a] : [])
    if (wanted && kinds && !kinds.has(wanted)) typing.complain(`'${op}' doesn't take ${words(kinds)}`);
  return RESULTS.get(op) ?? ANYTHING;
}

function sum(a: Shape, b: Shape, typing: Typing): Shape {
  const addable: readonly Kind[] = ["number", "string", "array"];
  const common = addable.filter((kind) => (a.kinds?.has(kind) ?? true) && (b.kinds?.has(kind) ?? true));
  if (common.length === 0 && a.kinds && b.kinds)
    typing.complain(`'+' doesn't take ${words(a.kinds)} and ${words(b.kinds)}`);
  return ofKind(...common);
}

/** A plain selection as it would be written; of anything else only that it is one. */
function sourceOf({ op, args, value }: ExpressionAst): string {
  if (op === "name") return String(value);
  const [holder, key] = args;
  if ((op === "." || op === "[") && holder && key?.op === "literal") {
    const name = key.value;
    return typeof name === "string" ? `${sourceOf(holder)}.${name}` : `${sourceOf(holder)}[${String(name)}]`;
  }
  return "what it is taken from";
}
