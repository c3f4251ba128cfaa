declare module "inline:*" {
  /** The bundled script, as text. */
  const text: string;
  export default text;
}
