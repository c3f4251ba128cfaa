import { worker } from "workerpool";

worker({ echo: (input: unknown) => input });
