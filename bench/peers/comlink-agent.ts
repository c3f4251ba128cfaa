import { expose } from "comlink";

expose({ echo: (input: unknown) => input });
