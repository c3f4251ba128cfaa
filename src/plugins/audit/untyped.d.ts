/** Libraries without types of their own: as much of them as is used. */
declare module "eslint-plugin-security" {
  const plugin: { readonly rules: Readonly<Record<string, object>> };
  export default plugin;
}
