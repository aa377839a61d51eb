/** What an HTML page at `base` links to on the web. A link that makes no sense is given as it is written. */
export function linksIn(html: string, base: string): string[] {
  const anchors = html.matchAll(/<a\s[^<>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/gi);
  const links = Array.from(anchors, ([, double, single, bare]) => {
    return absolute((double ?? single ?? bare).replaceAll("&amp;", "&"), base);
  });
  return links.filter((link) => /^https?:/.test(link) || !URL.canParse(link));
}

/**
 * The URL that `link` means on a page at `base`, without its fragment, which is only a place in the page. What
 * makes no sense is given as it is written.
 */
export function absolute(link: string, base?: string): string {
  const url = URL.parse(link, base);
  if (url === null) return link.replaceAll(/\p{Cc}/gu, ""); // It is going to be shown on a terminal.
  url.hash = "";
  return url.href;
}
