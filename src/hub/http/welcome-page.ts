/** What a person sees who opens the hub's address in a browser. */
export function welcomePage(version: string): string {
  return `This is a Private Connect hub, version ${version}.

To reach a private service through it, ask whoever runs this hub for the program and for a join
token. (What the public npm registry has by this name is another project.)

  npm install -g ./private-connect-${version}.tgz
  connect login --hub THIS-ADDRESS
  connect reach NAME
`
}
