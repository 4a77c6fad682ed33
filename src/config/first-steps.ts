import { isLoopback } from './hub-url.ts'

/** What has a hub run here that other machines reach: on loopback, as without flags, none of them does. */
export const OWN_HUB = 'connect hub install --listen 0.0.0.0:7700'

/** The same where nothing could keep it over a reboot. */
export const OWN_HUB_UNKEPT = 'connect hub start --listen 0.0.0.0:7700'

/** What has a machine join the hub that runs on it. */
export const JOIN_OWN_HUB = 'connect hub token create --invite | connect login --token-file -'

const INVITE = 'connect hub token create --invite'

/**
 * What lets another machine join the hub on this one, and what is said to that. One on loopback no other
 * reaches: it has to listen elsewhere first.
 *
 * @param url the address that machines are told; null if it is not known
 */
export function letOthersIn(url: string | null): { readonly command: string; readonly note: string } {
  const { protocol, hostname, port } = new URL(url !== null && URL.canParse(url) ? url : 'https://unknown')
  if (!isLoopback(hostname)) return { command: INVITE, note: 'lets another machine in' }
  // In a terminal, or behind a reverse proxy: it listens where somebody has put it.
  if (protocol === 'http:') return { command: INVITE, note: 'for this machine: it listens on loopback' }
  return { command: `connect hub start --listen 0.0.0.0:${port}`, note: 'has other machines reach the hub' }
}

/**
 * For a machine with a hub that it has not joined: what lets others in, and what has it join itself. On
 * loopback the hub is for this machine alone.
 *
 * @param url the address that machines are told
 */
export function firstMembers(url: string): ReturnType<typeof letOthersIn>[] {
  const here = { command: JOIN_OWN_HUB, note: 'joins the hub here' }
  return isLoopback(new URL(url).hostname) ? [here] : [letOthersIn(url), here]
}

/** What has a machine find the hub on it again that it has joined: by another scheme, or authority. */
export const FIND_OWN_HUB =
  'If it should be a hub of your own on this machine, this starts it, and tells this machine how to find it: connect hub start'

/** For a machine that knows no hub yet: the ways in, a line each. */
export const FIRST_STEPS: readonly string[] = [
  'With an invite to a hub: connect login',
  'With a hub’s address and a join token for it: connect login --hub URL',
  `With a hub of your own: ${OWN_HUB}`,
]
