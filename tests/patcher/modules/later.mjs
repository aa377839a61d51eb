export const own = () => setTimeout;
export const here = () => import.meta.url;
