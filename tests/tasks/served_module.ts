// What the tests of serveOnAllCores() serve.
export default {
  async fetch(request: Request): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/pid":
        return new Response(String(Deno.pid));
      case "/slow":
        await new Promise((resolve) => setTimeout(resolve, 300));
        return new Response("slow answer");
      default:
        return await new Promise(() => {});
    }
  },
};
