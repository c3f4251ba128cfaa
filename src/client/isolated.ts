/** Calls a listener; one that throws must not keep others from hearing, so its error is reported as an uncaught one. */
export function isolated(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    reportError(error);
  }
}
