/** What a person sees who opens the hub's address in a browser. */
export function welcomePage(version: string): string {
  return `This is a Private Connect hub, version ${version}.

To reach a private service through it, install Private Connect and join with a token
from whoever runs this hub:

  npm install -g private-connect
  connect login --hub THIS-ADDRESS
  connect reach NAME
`
}
