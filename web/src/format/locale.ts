/** The pages are in English, and so are their numbers and dates. */
export const LOCALE = 'en-US';
