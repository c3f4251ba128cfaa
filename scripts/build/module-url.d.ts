// The one platform feature that every room may name: where a module's neighbour lies.
interface ImportMeta {
  readonly url: string;
}
declare class URL {
  constructor(url: string, base?: string);
  readonly href: string;
}
