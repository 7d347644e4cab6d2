/** The encoding of dev_t in glibc (makedev(3)), for the numbers that exist. */
export const deviceNumber = (rdev: number): { readonly major: number; readonly minor: number } => ({ major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) });
