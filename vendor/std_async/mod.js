// File by file: the npm package's own async/mod.js cannot be loaded, since its channel.js imports a
// file that the package does not have. That is why `Channel` is missing here.
export * from "npm:deno-std@1.4.0/async/abortable.js";
export * from "npm:deno-std@1.4.0/async/all_keyed.js";
export * from "npm:deno-std@1.4.0/async/deadline.js";
export * from "npm:deno-std@1.4.0/async/debounce.js";
export * from "npm:deno-std@1.4.0/async/delay.js";
export * from "npm:deno-std@1.4.0/async/lazy.js";
export * from "npm:deno-std@1.4.0/async/mux_async_iterator.js";
export * from "npm:deno-std@1.4.0/async/poll.js";
export * from "npm:deno-std@1.4.0/async/pool.js";
export * from "npm:deno-std@1.4.0/async/retry.js";
export * from "npm:deno-std@1.4.0/async/tee.js";
