/** Expressions as typed values: what a function takes from its scope is written down as the text of an expression. */
import { RuntimeError } from "../core/errors.ts";

declare const TYPE: unique symbol;
const SOURCE = Symbol("source");

/** The text of an expression that gives a `T`. */
export interface Expr<out T> {
  readonly [TYPE]?: T;
  readonly [SOURCE]: string;
}

/** Something in a scope, and what can be selected from it. What isn't known has any field. */
export type Ref<T> =
  IsUnknown<T> extends true
    ? Unknown
    : T extends readonly unknown[]
      ? Expr<T>
      : T extends object
        ? Expr<T> & { readonly [Field in keyof T]-?: Ref<NonNullable<T[Field]>> }
        : Expr<T>;

/** Fits everywhere: nobody has said what it is. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- an unknown output may be given to whatever takes something
export type Unknown = any;
type IsUnknown<T> = unknown extends T ? true : false;

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
export function cel<T = Unknown>(texts: TemplateStringsArray, ...gaps: readonly Anything[]): Expr<T> {
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

/** What is selected from a name of the scope. */
export function refOf(source: string): Ref<unknown> {
  return new Proxy<Expr<unknown>>(
    { [SOURCE]: source },
    { get: (_target, field) => (typeof field === "symbol" ? source : (refOf(source + selection(field)) as object)) },
  );
}

const WORDS: ReadonlySet<string> = new Set(["in", "true", "false", "null"]);

function selection(field: string): string {
  if (/^\d+$/u.test(field)) return `[${field}]`;
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
