import { shellQuote } from '../text/shell-quote.ts'

/** Commands that act on one instance, as our texts name them; `reach` they name for other machines. */
const COMMANDS = /\bconnect (?:up|login|logout|whoami|expose|unexpose|services|daemon(?: [a-z]+)?)\b/g

/**
 * What a text says to run, for the instance that the command was run for: `connect up` would log in
 * the default one.
 *
 * @param configFile the value of --config
 */
export function addConfigFlag(text: string, configFile: string | undefined): string {
  if (configFile === undefined) return text
  return text.replaceAll(COMMANDS, (command) => `${command} --config ${shellQuote(configFile)}`)
}
