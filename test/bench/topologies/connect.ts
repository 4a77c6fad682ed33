import { mkdirSync } from 'node:fs'
import { connectOk, runJs } from '../../helpers/cli.ts'
import { makeHome, type Home } from '../../helpers/home.ts'
import { Program } from '../processes/program.ts'
import { versionOf } from '../processes/version.ts'
import { makeCertificate } from './certificate.ts'
import { inspectEnv, inspectorOf } from './inspect.ts'
import { stopAll } from './stop-all.ts'
import { NotThereError, type StartOptions, type Topology, type Tunnel } from './topology.ts'

const SERVICE = 'bench'
/** Enough for both ends, and for all the agents whose memory is measured. */
const TOKEN_USES = '100000'

export const connectPlain: Topology = {
  name: 'connect',
  hops: 3,
  about: 'this tunnel: a hub, an agent that exposes the target, and `connect reach`; ws://',
  start: (options) => start(options, []),
}

export const connectTls: Topology = {
  name: 'connect, TLS',
  hops: 3,
  about: 'the same; wss://, a certificate that both ends check',
  start: (options) => startTls(options),
}

/** What all others are compared with. */
export const OURS: readonly Topology[] = [connectPlain, connectTls]

/** Has Node.js load the other transport, see there. */
const OTHER_TRANSPORT = {
  NODE_OPTIONS: `--import=${new URL('../transports/register.ts', import.meta.url).href}`,
}

/** Both with the transport that was not chosen. */
export const otherPlain: Topology = {
  ...connectPlain,
  name: 'other transport',
  start: (options) => start(options, [], OTHER_TRANSPORT),
}
export const otherTls: Topology = {
  ...connectTls,
  name: 'other transport, TLS',
  start: (options) => startTls(options, OTHER_TRANSPORT),
}

async function startTls(options: StartOptions, extraEnv: NodeJS.ProcessEnv = {}): Promise<Tunnel> {
  const home = makeHome()
  const help = await connectOk(home, ['hub', '--help'])
  home.remove()
  if (!help.includes('--tls-cert')) throw new NotThereError('this hub speaks no TLS itself')
  const { cert, key } = makeCertificate(options.folder)
  return start(options, ['--tls-cert', cert, '--tls-key', key], { ...extraEnv, NODE_EXTRA_CA_CERTS: cert })
}

async function start(
  { target, folder, inspect }: StartOptions,
  hubArgs: readonly string[],
  extraEnv: NodeJS.ProcessEnv = {},
): Promise<Tunnel> {
  const homes = { hub: makeHome('hub'), expose: makeHome('expose'), reach: makeHome('reach') }
  const running: Program[] = []
  const run = (home: Home, args: readonly string[]) => {
    const env = { ...home.env, ...extraEnv }
    mkdirSync(home.folder, { recursive: true })
    const program = new Program(process.execPath, [runJs, ...args], {
      folder,
      env: inspect ? inspectEnv(env) : env,
    })
    running.push(program)
    return program
  }
  const stop = async () => {
    await stopAll(running)
    for (const home of Object.values(homes)) home.remove()
  }
  try {
    const hub = run(homes.hub, ['hub', '--listen', '127.0.0.1:0', ...hubArgs])
    const [, url] = await hub.printed(/listening on (https?:\/\/\S+)/)
    const token = (await connectOk(homes.hub, ['hub', 'token', 'create', '--uses', TOKEN_USES])).trim()
    const env = { ...extraEnv, PRIVATECONNECT_TOKEN: token }
    for (const home of [homes.expose, homes.reach]) await connectOk(home, ['login', '--hub', url!], { env })
    await connectOk(homes.expose, ['expose', `127.0.0.1:${target}`, '--name', SERVICE], { env })
    const expose = run(homes.expose, ['up', '--foreground'])
    await expose.printed(/Connected to hub/)
    const reach = run(homes.reach, ['reach', SERVICE, '--port', '0'])
    const [, port] = await reach.printed(/is at \S+:(\d+)/)
    await reach.printed(/Connected to hub/)
    return {
      port: Number(port),
      version: versionOf(process.execPath, [runJs, '--version'], homes.hub.env),
      processes: { hub: [hub.pid], ends: [expose.pid, reach.pid] },
      ...(inspect && {
        inspectors: {
          hub: await inspectorOf(hub),
          expose: await inspectorOf(expose),
          reach: await inspectorOf(reach),
        },
      }),
      hub: { url: url!, token, env: extraEnv },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
