/** The host and its pages: who began when, and up to where each page's commands are decided. */
import type { ErrorData } from "../errors.ts";

/** A page's session: the commands with numbers up to `mark` are decided for good. */
export interface Session {
  readonly id: string;
  readonly mark: number;
  /** The refused ones among those that the page hasn't acknowledged yet: number and reason. */
  readonly refused: readonly (readonly [number, ErrorData])[];
  readonly seenAt: number;
  /** Who is there, where that is known. */
  readonly actor?: Actor | undefined;
}

/** Who is at a page. */
export interface Actor {
  readonly id: string;
  readonly roles: readonly string[];
  /** session: the host's verifier has found so. click: the page says so. */
  readonly level: "click" | "session";
}

export interface HostingEvents {
  "host.started": { readonly epoch: number };
  "session.advanced": {
    readonly session: string;
    readonly mark: number;
    readonly refused: readonly (readonly [number, ErrorData])[];
    /** Answers up to this number have reached the page and are forgotten. */
    readonly acknowledged: number;
  };
  "session.ended": { readonly session: string };
  /** Somebody is at the page from now on; without an actor nobody that is known. */
  "session.identified": { readonly session: string; readonly actor?: Actor | undefined };
}

export interface HostingCommands {
  /** The first command of every host: whatever ran under the one before is interrupted by it. */
  "host.start": { readonly epoch: number };
  "session.advance": HostingEvents["session.advanced"];
  "session.identify": HostingEvents["session.identified"];
}

/** A session whose page was not heard of for so long is forgotten, in milliseconds. */
export const SESSION_LIFE = 7 * 24 * 3_600_000;
