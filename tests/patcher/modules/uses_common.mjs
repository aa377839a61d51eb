import common, { functions } from "./common.cjs";
export { common, functions };
