/** The version of this build; it is the one of package.json. */
export const VERSION = "0.1.0";

/** The protocol between pages and hosts; those with another one can't talk. The first frame both ways carries it. */
export const PROTOCOL = 2;
