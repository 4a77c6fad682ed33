/**
 * A word of a ProxyCommand. ssh takes % for a token, and looks whether the quotes are balanced; then the
 * user's shell runs it (ssh_config(5), and argv_split() of OpenSSH's misc.c). In double quotes all of them
 * see the same.
 */
export function sshQuote(word: string): string {
  const literal = word.replaceAll('%', '%%')
  return /^[\w@%+=:,./-]+$/.test(word) ? literal : `"${literal.replaceAll(/["$\\`]/g, String.raw`\$&`)}"`
}
