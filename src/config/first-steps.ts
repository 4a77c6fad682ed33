/** What has a hub run here that other machines reach: on loopback, as without flags, none of them does. */
export const OWN_HUB = 'connect hub install --listen 0.0.0.0:7700'

/** For a machine that knows no hub yet: the ways in, a line each. */
export const FIRST_STEPS: readonly string[] = [
  'With an invite to a hub: connect login',
  'With a hub’s address and a join token for it: connect login --hub URL',
  `With a hub of your own: ${OWN_HUB}`,
]
