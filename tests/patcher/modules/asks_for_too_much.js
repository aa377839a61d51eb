import { missing } from "./own_fetch.ts";
export { missing };
