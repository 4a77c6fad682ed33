import { isIP } from 'node:net'
import { ensureInstanceFolder, type Config } from '../../config/config.ts'
import type { AgentInstance } from '../../config/instance.ts'
import { readReaches, withReach, writeReaches } from '../../config/reaches.ts'
import { keepReach } from '../../control/client.ts'
import { Neighbours } from '../../control/presence/neighbours.ts'
import type { KeepReply, KeepRequest } from '../../control/schema.ts'
import { ConnectError } from '../../errors.ts'
import { Signer } from '../../hub-client/credential.ts'
import { findServices } from '../../hub-client/find-services.ts'
import { HubClient } from '../../hub-client/hub-client.ts'
import { describeHolder, portHolder } from '../../process/port-holder.ts'
import { accepting, keptAs, settlePort, settleReach } from '../../reach/kept-port.ts'
import { ownPortOf } from '../../reach/own-port.ts'
import { throughAgentOrFile } from '../locks/through-agent.ts'
import { shownReach, unheldReach, type ShownReach } from './shown-reach.ts'

export interface Keeping {
  readonly outcome: KeepReply['outcome']
  readonly reach: ShownReach
  /** Why the port is not the service's own: the beginning of a sentence; null if it is, or was asked for. */
  readonly because: string | null
  /** An agent runs here, and holds the port. */
  readonly hasAgent: boolean
}

/**
 * Keeps a reach: through the running agent, else by saving it for the next one. Its port is settled now. One
 * that is kept already accepts the agent that serves it now.
 *
 * @param options.port 0 for a free one; undefined for the one that is kept, else the service's own or the
 * next free one, and then the hub is asked for that
 * @param options.bind undefined for the one that is kept, else both loopbacks
 * @throws ConnectError SERVICE_UNKNOWN, HUB_UNREACHABLE, PORT_IN_USE, CANNOT_LISTEN, BAD_VALUE, AGENT_BUSY,
 * WRITE_FAILED: nothing is changed then
 */
export async function keep(
  instance: AgentInstance,
  config: Config,
  options: { name: string; port: number | undefined; bind: string | undefined },
): Promise<Keeping> {
  ensureInstanceFolder(instance)
  const { name, port } = options
  const bind = numericBind(options.bind)
  const isKept = readReaches(instance).some((reach) => reach.name === name)
  const wish: KeepRequest = {
    ...(port !== undefined && { port }),
    ...(isKept ? await ownerNow(config, name) : port === undefined && (await ownerAndPort(config, name))),
    ...bind,
  }
  try {
    return await throughAgentOrFile<Keeping>(
      instance,
      async () => {
        const reply = await keepReach(instance, name, wish)
        return reply && { ...reply, reach: shownReach(reply.reach), hasAgent: true }
      },
      () => saveReach(instance, name, wish),
    )
  } catch (error) {
    throw withHolder(instance, port, error)
  }
}

/** Says who has the port, as far as the system tells. */
function withHolder(instance: AgentInstance, port: number | undefined, error: unknown): unknown {
  if (port === undefined || !(error instanceof ConnectError) || error.code !== 'PORT_IN_USE') return error
  // One that is kept for another name is our own agent's.
  if (readReaches(instance).some((reach) => reach.port === port)) return error
  const holder = portHolder(port)
  if (!holder) return error
  const hints = ['Give another one, or leave --port out.']
  return new ConnectError(error.code, `${error.message}, by ${describeHolder(holder)}`, {
    hints,
    cause: error,
  })
}

/** While no agent runs. The port is tried, so that none is saved that can't be had. */
async function saveReach(instance: AgentInstance, name: string, wish: KeepRequest): Promise<Keeping> {
  const reaches = readReaches(instance)
  const kept = reaches.find((reach) => reach.name === name)
  const settled = settleReach(name, wish, kept)
  if (!settled) {
    const { outcome, reach } = accepting(kept!, wish.agent)
    if (reach !== kept) writeReaches(instance, withReach(reaches, reach))
    return { outcome, reach: unheldReach(reach), because: null, hasAgent: false }
  }
  const opened = await settlePort(settled, reaches, (socket) => socket.destroy())
  opened.close()
  const reach = keptAs(settled, opened)
  writeReaches(instance, withReach(reaches, reach))
  return {
    outcome: kept ? 'moved' : 'kept',
    reach: unheldReach(reach),
    because: opened.because ?? null,
    hasAgent: false,
  }
}

/** A name may lead elsewhere after the next start. @throws ConnectError BAD_VALUE */
function numericBind(bind: string | undefined): Pick<KeepRequest, 'bind'> {
  if (bind === undefined) return {}
  if (bind === 'localhost') return { bind: null }
  if (isIP(bind) !== 0) return { bind }
  throw new ConnectError('BAD_VALUE', `"${bind}" is not an address that a reach can be kept on`, {
    hints: ['Give a numeric address of this machine, or localhost.'],
  })
}

/** Of what is kept already; nothing while the hub is away, or if nobody serves it. */
async function ownerNow(config: Config, name: string): Promise<Pick<KeepRequest, 'agent'>> {
  try {
    const service = await new HubClient(config).service(new Signer(config), name)
    return service ? { agent: service.agent } : {}
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'HUB_UNREACHABLE') throw error
    return {}
  }
}

/** @throws ConnectError SERVICE_UNKNOWN, HUB_UNREACHABLE */
async function ownerAndPort(config: Config, name: string): Promise<Pick<KeepRequest, 'agent' | 'own'>> {
  const [service] = await findServices(config, [name]).catch((error: unknown) => {
    if (!(error instanceof ConnectError) || error.code !== 'HUB_UNREACHABLE') throw error
    const hints = [...error.hints, `Or say which port to keep: connect reach ${name} --keep --port N`]
    throw new ConnectError(error.code, error.message, { hints, cause: error })
  })
  // A Unix socket has none.
  return { own: ownPortOf(service!, config, new Neighbours()) ?? null, agent: service!.agent }
}
