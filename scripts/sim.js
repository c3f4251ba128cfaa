import { main } from "./toolchain.js";

await main("test/simulation/main.ts");
