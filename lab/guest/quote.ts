/** Quotes an argument so that a POSIX shell hands it on unchanged. */
export function quote(argument: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A shell command line that runs exactly these arguments. */
export function quoteArguments(args: readonly string[]): string {
  return args.map(quote).join(' ');
}
