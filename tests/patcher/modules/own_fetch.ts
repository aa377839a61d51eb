export const fetch = (): string => "imported";
