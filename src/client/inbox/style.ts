/** How it looks by itself: system colours. A page gives others by the custom properties, and the rest by `::part()`. */
export const STYLE = `
:host { display: block; container-type: inline-size; color-scheme: inherit; color: var(--inbox-ink, CanvasText); font: inherit;
  --_line: var(--inbox-line, GrayText); --_sheet: var(--inbox-sheet, Canvas); --_quiet: var(--inbox-quiet, CanvasText);
  --_good: var(--inbox-good, light-dark(#0a6b3c, #6ad19b)); --_bad: var(--inbox-bad, light-dark(#a81c2c, #ff9090)); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
h3, h4, p, pre, ul, ol, dl, dd { margin: 0; padding: 0; overflow-wrap: anywhere; }
h3 { font-size: 1.15em; line-height: 1.35; }
h4 { font-size: 1em; }
p, dd, h3 { white-space: pre-wrap; }
ul { list-style: none; }
ol { padding-left: 1.5em; }
:host > ul { display: grid; gap: 1rem; margin-top: 0.75rem; }
article, section, label { display: grid; gap: 0.5rem; align-content: start; }
header { display: grid; gap: 0.4rem; }
article { gap: 1rem; padding: 1.25rem; border: 1px solid var(--_line); border-radius: var(--inbox-radius, 0.5rem); background: var(--_sheet); }
.quiet, dt, summary, label { color: var(--_quiet); font-size: 0.875em; }
.tags { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.tags span { padding: 0 0.5em; border: 1px solid; border-radius: 1em; color: var(--_quiet); font-size: 0.875em; }
.tags .mine { background: var(--inbox-cue, Mark); border-color: transparent; color: var(--inbox-cue-ink, MarkText); font-weight: 650; }
dl { display: grid; gap: 0.35rem; }
dl > div { display: grid; grid-template-columns: minmax(5rem, 9rem) minmax(0, 1fr); gap: 1rem; align-items: baseline; }
dd dl { display: flex; flex-wrap: wrap; gap: 0 1rem; }
dd dl > div { display: flex; gap: 0.4em; }
dt::first-letter, b::first-letter { text-transform: uppercase; }
pre { overflow: auto; max-height: 16rem; padding: 0.5rem; border: 1px solid var(--_line); font-size: 0.875em; white-space: pre-wrap; }
.changes { display: grid; gap: 0.5rem; }
p:is(.del, .ins) { padding: 0.15rem 0.5rem; border-left: 3px solid var(--_bad); background: color-mix(in srgb, var(--_bad), transparent 92%); }
p.ins { border-color: var(--_good); background: color-mix(in srgb, var(--_good), transparent 92%); }
del { color: var(--_bad); }
ins { color: var(--_good); font-weight: 600; }
.seats li { display: flex; flex-wrap: wrap; gap: 0 0.6em; padding: 0.2rem 0; }
.seats b { min-width: 7rem; }
q { flex-basis: 100%; font-style: italic; }
.yes { color: var(--_good); font-weight: 600; }
.no, .trouble { color: var(--_bad); font-weight: 600; }
.fields { display: grid; gap: 0.75rem; padding: 0.75rem 0; }
footer { max-width: 44rem; }
footer > :not([hidden]) ~ :not([hidden], :empty) { margin-top: 0.5rem; }
.tags:empty { display: none; }
summary { width: fit-content; cursor: pointer; }
input, select, textarea, button { max-width: 100%; font: inherit; color: FieldText; background: Field; border: 1px solid var(--_line); border-radius: 3px; }
input, select, textarea { min-height: 2.25rem; padding: 0.4rem 0.6rem; font-size: 1rem; }
textarea { min-height: 3.5rem; resize: vertical; field-sizing: content; }
.actions { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button { min-height: 2.75rem; padding: 0 1rem; font-weight: 600; color: ButtonText; background: ButtonFace; cursor: pointer; }
[aria-disabled="true"] { opacity: 0.6; }
:focus-visible { outline: 2px solid var(--inbox-focus, Highlight); outline-offset: 2px; }
.unseen { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap; }
@container (min-width: 52rem) { article { grid-template-columns: minmax(0, 1.6fr) minmax(0, 1fr); gap: 1.25rem 2rem; } header { grid-column: 1 / -1; }
.answers { grid-column: 2; grid-row: 2 / 4; padding-left: 2rem; border-left: 1px solid var(--_line); } }
@container (max-width: 32rem) { dl > div { grid-template-columns: 6rem minmax(0, 1fr); } }
`;
