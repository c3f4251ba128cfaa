import { main } from "./toolchain.js";

await main("scripts/check/main.js");
