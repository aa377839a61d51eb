export const a = 1, setTimeout = 2;
export const interval = setInterval;
