/** HTML as a value: whatever is put into a template is escaped, unless it is such a value itself. */
import { visible } from "../source-text.ts";

export interface Markup {
  readonly html: string;
}

type Part = string | number | Markup | readonly Markup[] | undefined | false;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for quoted attributes. Control and direction-changing characters are spelled out. */
const escape = (text: string): string => visible(text).replace(/[&<>"']/gu, (char) => ENTITIES[char] ?? char);

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { html: strings.reduce((out, text, at) => out + render(parts[at - 1]) + text) };
}

function render(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string" || typeof part === "number") return escape(String(part));
  return "html" in part ? part.html : part.map((one) => one.html).join("");
}
