/** Expressions as typed values: what a function takes from its scope is written down as the text of an expression. */
import { RuntimeError } from "../core/errors.ts";

declare const TYPE: unique symbol;
const SOURCE = Symbol("source");

/** The text of an expression that gives a `T`. */
export interface Expr<out T> {
  readonly [TYPE]?: T;
  readonly [SOURCE]: string;
}

/** Something in a scope, and what can be selected from it. */
export type Ref<T> =
  IsUnknown<T> extends true
    ? Untold
    : T extends readonly unknown[]
      ? Expr<T>
      : T extends object
        ? Expr<T> & { readonly [Field in keyof T]-?: Ref<Present<T[Field]>> }
        : Expr<T>;

/** Nobody has said what it is: it fits everywhere, and {@link select} takes any part of it. */
export type Untold = Expr<never>;
type IsUnknown<T> = unknown extends T ? true : false;
/** `NonNullable` would make `{}` of `unknown`. */
type Present<T> = IsUnknown<T> extends true ? unknown : NonNullable<T>;

/** What can stand where a `T` is needed: the value itself, an expression that gives one, or both by parts. */
export type Given<T> = IsUnknown<T> extends true ? Anything : Expr<T> | Literal<T>;
type Literal<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Field in keyof T]: Given<T[Field]> }
    : T;
type Anything =
  Expr<unknown> | null | boolean | number | string | readonly Anything[] | { readonly [field: string]: Anything };

/**
 * An expression in CEL, with values in its gaps: ``cel<boolean>`${nodes.draft.output.words} > 100` ``. Nothing checks
 * that it gives a `T`.
 */
export function cel<T = never>(texts: TemplateStringsArray, ...gaps: readonly Anything[]): Expr<T> {
  const parts = texts.raw.map((text, at) => (at === 0 ? text : `${inGap(gaps[at - 1])}${text}`));
  return { [SOURCE]: parts.join("") };
}

/** An operator beside a gap must not tear its expression apart. */
function inGap(gap: Anything | undefined): string {
  const text = writeExpression(gap);
  return /^[\w.[\]"]*$/u.test(text) ? text : `(${text})`;
}

/** An item of a list, counted from 0. */
export function itemOf<T>(list: Expr<readonly T[]>, index: number): Ref<T> {
  return refOf(`${inGap(list)}[${String(index)}]`) as Ref<T>;
}

/** A part of what nobody has described: fields by name, items of lists by index. */
export function select(from: Untold, ...path: readonly (string | number)[]): Untold {
  return refOf(path.reduce<string>((source, part) => source + selection(part), inGap(from)));
}

/** What is selected from a name of the scope. */
export function refOf(source: string): Untold {
  return new Proxy<Expr<unknown>>(
    { [SOURCE]: source },
    {
      get: (_target, field) =>
        typeof field === "symbol" ? source : refOf(source + selection(/^\d+$/u.test(field) ? Number(field) : field)),
    },
  ) as Untold;
}

const WORDS: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

function selection(field: string | number): string {
  if (typeof field === "number") return `[${String(field)}]`;
  return /^[A-Za-z_]\w*$/u.test(field) && !WORDS.has(field) ? `.${field}` : `[${JSON.stringify(field)}]`;
}

/** The text of the expression that gives the value. */
export function writeExpression(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const source = (value as Partial<Expr<unknown>>)[SOURCE];
    if (typeof source === "string") return source;
    if (Array.isArray(value)) return `[${value.map(writeExpression).join(", ")}]`;
    const fields = Object.entries(value).filter(([, part]) => part !== undefined);
    return `{${fields.map(([name, part]) => `${JSON.stringify(name)}: ${writeExpression(part)}`).join(", ")}}`;
  }
  if (value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value))
    return JSON.stringify(value);
  throw new RuntimeError("expression/invalid", { found: typeof value, expected: "JSON, or something of the scope" });
}
