/** For a machine that knows no hub yet: the two ways in, a line each, the last one to be typed as it is. */
export const FIRST_STEPS: readonly string[] = [
  'With a hub’s address and a join token for it: connect login --hub URL',
  'With a hub of your own: connect hub, and then in another terminal:',
  'connect hub token create | connect login --hub 127.0.0.1:7700 --token-file -',
]
