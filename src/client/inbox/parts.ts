/** Elements made of names and texts, never of markup: a payload can't bring any. */
export type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== undefined) made.setAttribute(attribute, String(value));
  made.append(...children);
  return made;
}

/** Writes a text that is another, so that nobody is told it twice. */
export function tell(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** The longest text of a payload that is shown. */
const MAX_SHOWN = 20_000;

export function textOf(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
