import { cooperate } from "../loop/event_loop.ts";
import { checkpoint } from "../loop/wait.ts";

/** What a file is, by the end of its name. */
const TYPES: Record<string, string> = {
  css: "text/css; charset=UTF-8",
  gif: "image/gif",
  html: "text/html; charset=UTF-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=UTF-8",
  json: "application/json; charset=UTF-8",
  mjs: "text/javascript; charset=UTF-8",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=UTF-8",
  wasm: "application/wasm",
  webp: "image/webp",
  woff2: "font/woff2",
  xml: "application/xml; charset=UTF-8",
};

/**
 * Answers a request with a file of a folder, as the path of its URL says; with `index.html` for a folder. Nothing
 * outside the folder is given out, not by `..`, encoded in whichever way, nor by a symbolic link.
 *
 * @param root The folder.
 * @returns The file; 304 if the client has it already; 404 if there is none, 405 if the method is not GET or HEAD.
 */
export async function serveFiles(request: Request, root: string | URL): Promise<Response> {
  await checkpoint();
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Method Not Allowed", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  return await cooperate(answer(request, root));
}

async function answer(request: Request, root: string | URL): Promise<Response> {
  let file: Deno.FsFile | null = null;
  try {
    const path = await find(root, new URL(request.url).pathname);
    if (path === null) return notFound();
    file = await Deno.open(path);
    const { isFile, size, mtime } = await file.stat();
    if (!isFile) return notFound();
    const headers = new Headers({
      "content-type": TYPES[path.slice(path.lastIndexOf(".") + 1).toLowerCase()] ??
        "application/octet-stream",
      "content-length": String(size),
      "x-content-type-options": "nosniff",
    });
    if (mtime !== null) {
      headers.set("last-modified", mtime.toUTCString());
      const known = Date.parse(request.headers.get("if-modified-since") ?? "");
      if (known >= Math.floor(mtime.getTime() / 1_000) * 1_000) {
        headers.delete("content-length");
        return new Response(null, { status: 304, headers });
      }
    }
    if (request.method === "HEAD") return new Response(null, { headers });
    const body = file.readable;
    file = null; // Reading it to its end closes it.
    return new Response(body, { headers });
  } catch (error) {
    if (isMissing(error)) return notFound();
    throw error;
  } finally {
    file?.close();
  }
}

/** The real path of what a URL's path means; `null` if it is outside of the root. */
async function find(root: string | URL, pathname: string): Promise<string | null> {
  let name: string;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (name.includes("\0") || name.includes("\\")) return null;
  const folder = await Deno.realPath(root);
  let path = await Deno.realPath(`${folder}/${name}`);
  if ((await Deno.stat(path)).isDirectory) path = await Deno.realPath(`${path}/index.html`);
  const inside = folder.endsWith("/")
    ? folder
    : `${folder}${Deno.build.os === "windows" ? "\\" : "/"}`;
  return path.startsWith(inside) ? path : null;
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied;
}

function notFound(): Response {
  return new Response("Not Found", { status: 404 });
}
