/** Elements made of names and texts, never of markup: a payload can't bring any. */
type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** The longest text of a payload that is shown. */
const MAX_SHOWN = 20_000;

export function textOf(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

export const STYLE = `
:host { display: block; color-scheme: light dark; color: CanvasText; background: Canvas; font: inherit; }
:host([hidden]) { display: none; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; }
article { border: 1px solid GrayText; border-radius: 0.5rem; padding: 1rem; display: grid; gap: 0.75rem; }
h3, p, pre, table { margin: 0; }
h3 { font-size: 1.1em; overflow-wrap: anywhere; white-space: pre-wrap; }
h3:focus-visible, [tabindex]:focus-visible, button:focus-visible, textarea:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
pre { overflow: auto; max-height: 16rem; padding: 0.5rem; border: 1px solid GrayText; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; }
th, td { border: 1px solid GrayText; padding: 0.25rem 0.5rem; text-align: start; vertical-align: top; overflow-wrap: anywhere; }
label { display: grid; gap: 0.25rem; }
textarea { font: inherit; min-height: 3rem; color: FieldText; background: Field; }
.actions { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button { font: inherit; min-height: 2.75rem; padding: 0 1rem; }
.trouble { font-weight: 600; }
[hidden] { display: none; }
`;
