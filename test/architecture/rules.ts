/** What may import what. The tables are the architecture; the check only reads them. */

/** Inside core a folder or file imports from its own group and from those above it. */
export const CORE_ORDER: readonly (readonly string[])[] = [
  ["json", "errors", "bitset", "versions"],
  ["kernel", "ports", "plugin", "payload", "tables", "ids"],
  ["audit"],
  ["expressions", "hosting"],
  ["tasks", "approvals", "capabilities", "timers", "messages", "mail"],
  ["agents", "limits"],
  ["workflows"],
  ["schedules"],
  ["scheduling"],
  ["runtime"],
  ["events", "picture"],
  ["protocol"],
  ["stage", "turn", "writer"],
  ["engine", "index"],
];

export interface Arrow {
  readonly to: string;
  /** Whether only types may cross. */
  readonly typesOnly?: boolean;
}

/** Arrows between rooms. A room may always import from itself. */
export const ARROWS: Readonly<Record<string, readonly Arrow[]>> = {
  core: [],
  calendar: [{ to: "core" }],
  client: [{ to: "core" }, { to: "calendar" }],
  workers: [{ to: "core" }, { to: "calendar" }],
  cell: [{ to: "core", typesOnly: true }],
  plugins: [{ to: "core" }],
  testing: [{ to: "core" }, { to: "plugins" }, { to: "client", typesOnly: true }, { to: "workers", typesOnly: true }],
};

/** Entries wire the rooms and hold no logic: they may import from everywhere, and only entries may import them. */
export const ENTRIES: readonly RegExp[] = [
  /^src\/[^/]+\.ts$/u,
  /^src\/workers\/(?:shared|elected)-worker\.ts$/u,
  /^src\/plugins\/[^/]+\/agents\/[^/]+\.ts$/u,
];

/** The packages that a room may import, where that is fewer than all dependencies. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: ["valibot"],
  calendar: ["croner"],
  cell: [],
};

/** The core gets time, chance and the world from its ports. */
export const BANNED_IN_CORE: readonly string[] = [
  "Date",
  "Math.random",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "fetch",
  "crypto",
  "performance",
  "indexedDB",
  "navigator",
  "self",
  "window",
  "document",
  "globalThis",
  "postMessage",
  "console",
  "process",
];

export const MAX_LINES = 400;
