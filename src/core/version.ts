/** The version of this build; it is the one of package.json. */
export const VERSION = "0.1.0";
