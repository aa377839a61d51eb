import { shown } from "../loop/arguments.ts";
import { cooperate } from "../loop/event_loop.ts";
import { checkpoint } from "../loop/wait.ts";
import { contentType } from "./_content_type.ts";
import { failureOf } from "./_failure.ts";
import { precondition, type Range, rangeOf, type Validators } from "./_file_conditions.ts";
import { FileError } from "./stream_error.ts";

/** How much of a file is read at once that is not sent whole. */
const CHUNK = 65_536;
/** What the system says of a path by which there is nothing to be had. */
const MISSING = ["EACCES", "EINVAL", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOTDIR"];

/**
 * Answers a request with a file of a folder, as the path of its URL says; with `index.html` for a folder. Nothing
 * outside the folder is given out, not by `..`, encoded in whichever way, nor by a symbolic link.
 *
 * It answers as RFC 9110 says to questions whether the file has changed (by its date or its ETag), and for a part of
 * it (`Range`, one at a time).
 *
 * @param root The folder.
 * @returns The file, or the part of it (206); 304 if the client has it already; 301 to the same with a slash for a
 * folder; 404 if there is none, 405 if the method is not GET or HEAD, 412 or 416 if a condition is not met.
 * @throws {FileError} If the system fails otherwise.
 */
export async function serveFiles(request: Request, root: string | URL): Promise<Response> {
  await checkpoint();
  if (typeof root !== "string" && !(root instanceof URL)) {
    throw new TypeError(`Cannot serve files: a path or URL is needed, not ${shown(root)}`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, { allow: "GET, HEAD" });
  }
  const answering = answer(request, root);
  try {
    return await cooperate(answering);
  } catch (error) {
    // Whoever asked is killed: a file that is opened all the same has to be closed.
    answering.then((response) => response.body?.cancel()).catch(ignore);
    throw error;
  }
}

async function answer(request: Request, root: string | URL): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  let path: string | null = null;
  try {
    path = await find(root, pathname);
    if (path === null) return plain(404);
    let info = await Deno.stat(path);
    if (info.isDirectory) {
      path = await find(root, `${pathname}/index.html`);
      if (path === null) return plain(404);
      info = await Deno.stat(path);
      // Relative, as a path like "//host" would lead elsewhere.
      const name = pathname.slice(pathname.lastIndexOf("/") + 1);
      if (name !== "" && info.isFile) return plain(301, { location: `./${name}/${search}` });
    }
    // Before it is opened: opening a named pipe would wait for somebody who writes.
    return info.isFile ? await give(request, path) : plain(404);
  } catch (cause) {
    const { why, ...details } = failureOf(cause, path ?? pathname);
    if (MISSING.includes(details.code!)) return plain(404);
    throw new FileError(`Cannot serve ${path ?? pathname}: ${why}`, details);
  }
}

async function give({ method, headers: asked }: Request, path: string): Promise<Response> {
  let file: Deno.FsFile | null = await Deno.open(path);
  try {
    const { size, mtime } = await file.stat();
    const validators: Validators = {
      etag: `"${size.toString(16)}-${(mtime?.getTime() ?? 0).toString(16)}"`,
      changed: mtime === null ? null : Math.floor(mtime.getTime() / 1_000) * 1_000,
    };
    const headers = new Headers({
      "accept-ranges": "bytes",
      "content-type": contentType(path),
      etag: validators.etag,
      "x-content-type-options": "nosniff",
    });
    if (mtime !== null) headers.set("last-modified", mtime.toUTCString());
    const status = precondition(asked, validators);
    if (status === 304) return new Response(null, { status, headers });
    if (status === 412) return plain(412);
    const range = method === "GET" ? rangeOf(asked, size, validators) : null;
    if (range === "none") return plain(416, { "content-range": `bytes */${size}` });
    const length = range === null ? size : range.end - range.start + 1;
    headers.set("content-length", String(length));
    if (range !== null) headers.set("content-range", `bytes ${range.start}-${range.end}/${size}`);
    if (method === "HEAD") return new Response(null, { headers });
    const body = range === null ? file.readable : await part(file, range);
    file = null; // Reading the body to its end closes it, and so does cancelling it.
    return new Response(body, { status: range === null ? 200 : 206, headers });
  } finally {
    file?.close();
  }
}

async function part(file: Deno.FsFile, { start, end }: Range): Promise<ReadableStream<Uint8Array>> {
  await file.seek(start, Deno.SeekMode.Start);
  let left = end - start + 1;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const chunk = new Uint8Array(Math.min(CHUNK, left));
      const count = await file.read(chunk);
      if (count === null) {
        file.close();
        throw new Error("The file has become shorter");
      }
      left -= count;
      controller.enqueue(chunk.subarray(0, count));
      if (left > 0) return;
      controller.close();
      file.close();
    },
    cancel: () => file.close(),
  });
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
  const path = await Deno.realPath(`${folder}/${name}`);
  if (path === folder) return path;
  const inside = folder.endsWith("/")
    ? folder
    : `${folder}${Deno.build.os === "windows" ? "\\" : "/"}`;
  return path.startsWith(inside) ? path : null;
}

function plain(status: number, headers?: HeadersInit): Response {
  return new Response(REASONS[status], { status, headers });
}

const REASONS: Readonly<Record<number, string>> = {
  301: "Moved Permanently",
  404: "Not Found",
  405: "Method Not Allowed",
  412: "Precondition Failed",
  416: "Range Not Satisfiable",
};

/** It is told to somebody else. */
function ignore(): void {}
