import { main } from "./toolchain.js";

await main("scripts/test/main.js");
