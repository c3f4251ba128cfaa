/** Small drawings, all on a grid of 16; they say nothing that words don't. */
import { svg, type SVGTemplateResult } from "lit/html.js";
import { html, type TemplateResult } from "lit/html.js";

const PATHS = {
  check: "M3 8.5l3.2 3.2L13 4.8",
  cross: "M4 4l8 8M12 4l-8 8",
  dash: "M4 8h8",
  folder: "M1.8 4.2h4.4l1.5 1.8h6.5v7H1.8z",
  archive: "M2.5 2.5h11v3h-11zM3.5 5.5v8h9v-8M6.5 8h3",
  play: "M5 3.5l7 4.5-7 4.5z",
  down: "M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3 13.5h10",
  sun: "M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6z",
  moon: "M13 9.8A5.6 5.6 0 016.2 3a5.6 5.6 0 106.8 6.8z",
  screen: "M1.8 3h12.4v8H1.8zM5.5 13.5h5M8 11v2.5",
  plus: "M8 3v10M3 8h10",
  undo: "M5.5 3.5L2.5 6.5l3 3M2.5 6.5h7a3.5 3.5 0 010 7H7",
  person: "M8 2.2a2.6 2.6 0 100 5.2 2.6 2.6 0 000-5.2zM2.8 14c.5-3 2.4-4.6 5.2-4.6s4.7 1.6 5.2 4.6",
  right: "M6 3.5L10.5 8 6 12.5",
  inbox: "M1.8 9.2h3.4l1.1 2.1h3.4l1.1-2.1h3.4M1.8 9.2L4 3h8l2.2 6.2v3.9H1.8z",
  key: "M10.4 2.2a3.4 3.4 0 100 6.8 3.4 3.4 0 000-6.8zM8 8L2.4 13.6M4.6 11.4l1.7 1.7",
  lock: "M3.5 7h9v6.5h-9zM5.5 7V4.8a2.5 2.5 0 015 0V7",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon for running text and buttons. */
export const icon = (name: IconName): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${iconPath(name)}</svg>`;

/** The drawing alone, inside another picture. */
export const iconPath = (name: IconName): SVGTemplateResult => svg`<path d=${PATHS[name]} />`;

const MARK: readonly (readonly [x: number, y: number])[] = [
  [4, 5],
  [12, 5],
  [20, 5],
  [4, 14],
  [20, 14],
];

/** Six players; one is on. */
export const mark = (): TemplateResult => html`
  <svg class="mark" viewBox="0 0 24 19" aria-hidden="true">
    ${MARK.map(([x, y]) => svg`<circle cx=${x} cy=${y} r="3" />`)}
    <circle class="mark-on" cx="12" cy="14" r="3" />
  </svg>
`;
