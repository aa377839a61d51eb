import * as nodeModule from "node:module";
import { bindingsOf, bindingsSpecifier } from "./_bindings.ts";
import { declaredNames } from "./_declared_names.ts";
import { IMPORT, withOwnImports } from "./_dynamic_imports.ts";
import type { PatchedUrl } from "./_patched_url.ts";
import { withPortableSpecifiers } from "./_specifiers.ts";
import { tokens } from "./_tokens.ts";
import { withIdentityMap, withMapOf } from "./_source_map.ts";

/** What takes the types out of TypeScript, as Node has it. */
const { stripTypeScriptTypes } = nodeModule as unknown as {
  stripTypeScriptTypes(source: string, options: { mode: "transform"; sourceMap: true }): string;
};

/** Code for a blob, and its media type. */
export interface BlobSource {
  readonly code: string;
  readonly type: string;
}

/** A module's source with imports of what is patched. Errors in it name the lines of its own file. */
export function patchedSource(source: string, patched: PatchedUrl): BlobSource {
  // Imports work wherever they stand. At the end, they leave every line and column where it was.
  const imports = importsFor(source, patched);
  const code = ownAddress(source, patched.own) + source;
  const kind = /\.[cm]?([jt]sx?)$/.exec(new URL(patched.own).pathname)?.[1] ?? "js";
  if (kind === "js") {
    const mapped = withIdentityMap(code, patched.own);
    return { code: withOwn(mapped, patched) + imports, type: "text/javascript" };
  }
  // The platform itself can make more of it, but then the lines are those of the blob.
  const platforms = {
    code: withPortableSpecifiers(code, patched.own) + imports,
    type: MEDIA_TYPES[kind],
  };
  if (kind !== "ts" || hasDecorators(source)) return platforms;
  try {
    const stripped = stripTypeScriptTypes(code, { mode: "transform", sourceMap: true });
    const mapped = withMapOf(stripped, patched.own);
    return { code: withOwn(mapped, patched) + imports, type: "text/javascript" };
  } catch {
    return platforms;
  }
}

/** Whether there are decorators, which the engine does not know. */
function hasDecorators(source: string): boolean {
  return source.includes("@") && tokens(source).some(({ text }) => text === "@");
}

/** Has the imports of JavaScript, static and dynamic ones, find what they mean from within a blob. */
function withOwn(code: string, { mark, own: address }: PatchedUrl): string {
  const own = withOwnImports(withPortableSpecifiers(code, address), mark, "(s,o)=>import(s,o)");
  if (!own.includes(IMPORT)) return own;
  return `${own}\nimport { importFromPatched as ${IMPORT} } from ${JSON.stringify(ATTEMPTS)};`;
}

/** Where {@linkcode IMPORT} comes from. */
const ATTEMPTS = new URL("./_attempts.ts", import.meta.url).href;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ts: "text/typescript",
  tsx: "text/tsx",
  jsx: "text/jsx",
};

function importsFor(source: string, { modules, kept }: PatchedUrl): string {
  const names = [...bindingsOf(modules).keys()];
  const declared = declaredNames(source, names);
  const seen = names.filter((name) =>
    source.includes(name) && !declared.has(name) && !kept.includes(name)
  );
  if (seen.length === 0) return "";
  return `\nimport { ${seen.join(", ")} } from ${JSON.stringify(bindingsSpecifier(modules))};`;
}

/** What gives `import.meta` the address of the module's own file. */
function ownAddress(source: string, own: string): string {
  return source.includes("import.meta")
    ? `(${describe})(import.meta, ${JSON.stringify(own)});`
    : "";
}

const describe = `(m,u)=>{const r=m.resolve,l=new URL(u);m.url=u;if(l.protocol==="file:"){` +
  `const p=decodeURIComponent(l.pathname);m.filename=p;m.dirname=p.slice(0,p.lastIndexOf("/"))||"/"}` +
  `m.resolve=(s)=>/^\\.{0,2}\\//.test(s)?new URL(s,u).href:r(s)}`;
