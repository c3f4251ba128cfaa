/**
 * Turns a source into a tree, by the grammar of CEL:
 *
 *     Expr     = Or ["?" Or ":" Expr]
 *     Or       = And {"||" And}
 *     And      = Relation {"&&" Relation}
 *     Relation = Sum {("<" | "<=" | ">=" | ">" | "==" | "!=" | "in") Sum}
 *     Sum      = Product {("+" | "-") Product}
 *     Product  = Unary {("*" | "/" | "%") Unary}
 *     Unary    = ("!" | "-") Unary | Member
 *     Member   = Primary {"." field ["(" [Exprs] ")"] | "[" Expr "]"}
 *     Primary  = literal | name ["(" [Exprs] ")"] | "(" Expr ")" | "[" [Exprs [","]] "]" | "{" [Pairs [","]] "}"
 *
 * Brackets and branches nest; everything else stands in a row, which makes the tree higher, but not the parser deeper.
 */
import type { Ast, Literal } from "./ast.ts";
import { clip, invalid, type Sourced } from "./faults.ts";
import { readToken, type Token } from "./lexer.ts";

/** The longest source, in UTF-16 units. */
export const MAX_SOURCE = 4_096;
/** The deepest nesting of brackets and branches. */
export const MAX_DEPTH = 32;
/** The highest tree: so many operators, selections or calls may follow on each other's results. */
export const MAX_HEIGHT = 250;

const RANKS = ["||", "&&", "< <= >= > == != in", "+ -", "* / %"];
const RANK_BY_OPERATOR: ReadonlyMap<string, number> = new Map(
  RANKS.flatMap((operators, rank) => operators.split(" ").map((operator) => [operator, rank] as const)),
);

/** What can be called, with how many values; a dot says that it is a method, whose receiver is one of them. */
const CALLS: ReadonlySet<string> = new Set(
  "size/1 string/1 int/1 double/1 .size/1 .startsWith/2 .endsWith/2 .contains/2".split(" "),
);
/** What is asked of each item: the variable, and so many expressions over it. */
const MACROS: ReadonlySet<string> = new Set("all/3 exists/3 exists_one/3 filter/3 map/3 map/4".split(" "));

interface Cursor extends Sourced {
  token: Token;
  end: number; // of the token before
  depth: number;
}

/**
 * Parses the source of an expression.
 * @throws RuntimeError `expression/invalid`.
 */
export function parse(source: string): Ast {
  if (source.length > MAX_SOURCE) throw invalid({ source }, 0, `longer than ${MAX_SOURCE} characters`);
  const cursor: Cursor = { source, token: readToken({ source }, 0), end: 0, depth: -1 };
  const ast = parseExpr(cursor);
  expect(cursor, "");
  return ast;
}

function parseExpr(cursor: Cursor): Ast {
  if (++cursor.depth > MAX_DEPTH) throw tooDeep(cursor, cursor.token.at);
  const { at } = cursor.token;
  let ast = parseRank(cursor, 0);
  if (take(cursor, "?")) {
    const then = parseRank(cursor, 0);
    expect(cursor, ":");
    ast = node(cursor, at, "?", [ast, then, parseExpr(cursor)]);
  }
  cursor.depth--;
  return ast;
}

function parseRank(cursor: Cursor, rank: number): Ast {
  if (rank === RANKS.length) return parseUnary(cursor);
  const { at } = cursor.token;
  let ast = parseRank(cursor, rank + 1);
  while (RANK_BY_OPERATOR.get(cursor.token.text) === rank) {
    const { text } = advance(cursor);
    ast = node(cursor, at, text, [ast, parseRank(cursor, rank + 1)]);
  }
  return ast;
}

function parseUnary(cursor: Cursor): Ast {
  const signs: Token[] = [];
  while (cursor.token.text === "!" || cursor.token.text === "-") signs.unshift(advance(cursor));
  return signs.reduce((ast, { text, at }) => node(cursor, at, text, [ast]), parseMember(cursor));
}

function parseMember(cursor: Cursor): Ast {
  const { at } = cursor.token;
  let ast = parsePrimary(cursor);
  for (;;) {
    if (take(cursor, "[")) {
      const key = parseExpr(cursor);
      expect(cursor, "]");
      ast = node(cursor, at, "[", [ast, key]);
    } else if (take(cursor, ".")) {
      const field = advance(cursor);
      const { name } = field;
      if (name === undefined) throw unexpected(cursor, field);
      if (take(cursor, "(")) ast = parseCall(cursor, at, name, ast);
      else ast = node(cursor, at, ".", [ast, node(cursor, field.at, "literal", [], name)]);
    } else return ast;
  }
}

function parsePrimary(cursor: Cursor): Ast {
  const token = advance(cursor);
  const { text, at, literal, name } = token;
  if (literal !== undefined) return node(cursor, at, "literal", [], literal);
  if (name !== undefined) {
    if (take(cursor, "(")) return parseCall(cursor, at, name);
    return node(cursor, at, "name", [], name);
  }
  if (text === "[") return node(cursor, at, "list", parseItems(cursor, "]"));
  if (text === "{") return node(cursor, at, "map", parseItems(cursor, "}"));
  if (text !== "(") throw unexpected(cursor, token);
  const inner = parseExpr(cursor);
  expect(cursor, ")");
  return inner;
}

function parseCall(cursor: Cursor, at: number, name: string, receiver?: Ast): Ast {
  const items = parseItems(cursor, ")");
  const args = receiver ? [receiver, ...items] : items;
  if (name === "matches") throw invalid(cursor, at, "matches() is not supported: a pattern might run for too long");
  if (receiver && MACROS.has(`${name}/${args.length}`)) return toMacro(cursor, at, name, args);
  if (name === "has" && !receiver) return toHas(cursor, at, args);
  if (CALLS.has(`${receiver ? "." : ""}${name}/${args.length}`)) return node(cursor, at, name, args);
  throw invalid(cursor, at, `there is no ${name}() that is called like this`);
}

/** `has(a.b)` is about the selection itself, not about its value. */
function toHas(cursor: Cursor, at: number, [selection, ...others]: readonly Ast[]): Ast {
  if (selection?.op === "." && others.length === 0) return node(cursor, at, "has", selection.args);
  throw invalid(cursor, at, "has() takes one selection, as in has(a.b)");
}

/** The variable is a name that only the bodies see, so it is no name of the scope. */
function toMacro(cursor: Cursor, at: number, name: string, args: readonly Ast[]): Ast {
  const [receiver, variable, ...bodies] = args;
  if (!receiver || variable?.op !== "name") throw invalid(cursor, at, `${name}() takes a variable first, as in x`);
  return node(cursor, at, `each.${name}`, [receiver, { ...variable, op: "literal" }, ...bodies]);
}

/** Reads expressions up to the closing bracket, in braces by pairs. A comma may end a list or a map. */
function parseItems(cursor: Cursor, close: ")" | "]" | "}"): Ast[] {
  const items: Ast[] = [];
  do {
    if ((close !== ")" || items.length === 0) && take(cursor, close)) return items;
    items.push(parseExpr(cursor));
    if (close !== "}") continue;
    expect(cursor, ":");
    items.push(parseExpr(cursor));
  } while (take(cursor, ","));
  expect(cursor, close);
  return items;
}

function node(cursor: Cursor, at: number, op: string, args: readonly Ast[], value: Literal = null): Ast {
  const height = 1 + args.reduce((highest, arg) => Math.max(highest, arg.height), 0);
  if (height > MAX_HEIGHT) throw tooDeep(cursor, at);
  return { op, args, value, at, end: cursor.end, height };
}

function advance(cursor: Cursor): Token {
  const { token } = cursor;
  cursor.end = token.end;
  cursor.token = readToken(cursor, token.end);
  return token;
}

/** Steps over the token when it is this one. A string literal never is: its text has quotes. */
function take(cursor: Cursor, text: string): boolean {
  const isIt = cursor.token.text === text;
  if (isIt) advance(cursor);
  return isIt;
}

function expect(cursor: Cursor, text: string): void {
  if (!take(cursor, text)) throw unexpected(cursor, cursor.token);
}

function unexpected(cursor: Cursor, { text, at }: Token): Error {
  return invalid(cursor, at, text === "" ? "the expression ends too early" : `unexpected ${clip(text)}`);
}

function tooDeep(cursor: Cursor, at: number): Error {
  return invalid(cursor, at, `nested deeper than ${MAX_DEPTH} levels, or more than ${MAX_HEIGHT} in a row`);
}
