import { shellQuote } from '../text/shell-quote.ts'

/** Commands that act on one instance, as our texts name them. */
const COMMANDS =
  /\bconnect (?:up|login|logout|whoami|status|expose|unexpose|services|reach|unreach|daemon(?: [a-z]+)?)\b(?!.* \(on another machine\))/g

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
