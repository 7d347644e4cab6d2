/** The small file that the web server hands out. */
export const PAGE_PATH = '/segue.txt';
export const PAGE_BODY = 'The programs stay.\n';
