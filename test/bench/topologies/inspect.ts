import type { Program } from '../processes/program.ts'

/** Has a Node.js program open its inspector on a free port of loopback. */
export function inspectEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --inspect=127.0.0.1:0` }
}

/** The address of its inspector. */
export async function inspectorOf(program: Program): Promise<string> {
  return (await program.printed(/Debugger listening on (ws:\S+)/))[1]!
}
