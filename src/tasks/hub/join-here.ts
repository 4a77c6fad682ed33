import { readConfig, updateConfig, type Config } from '../../config/config.ts'
import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { isLoopback, parseHubUrl } from '../../config/hub-url.ts'
import type { AgentInstance } from '../../config/instance.ts'
import { defaultLabel } from '../../config/label.ts'
import { proxyToSave } from '../../config/proxy/proxy.ts'
import { connectable, formatTarget, parseListenAddress } from '../../config/target.ts'
import { ConnectError, messageOf } from '../../errors.ts'
import { readText } from '../../files/read-text.ts'
import { hubAgents, hubStatus } from '../../hub/control/client.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { fingerprintFrom } from '../../tunnel/protocol/invite.ts'

/** How long a hub that has just been started may take until it answers, in ms. */
const ANSWERS_WITHIN_MS = 20_000

/** How this machine stands with the hub on it. */
export interface Joining {
  /**
   * `joined`: by this very command; `member`: it had joined before; `moved`: so it had, and has been told
   * where the hub is now, and by which authority it is known; `forgotten`: so it had, and the hub knows it no
   * more; `elsewhere`: it is logged in to another hub, and stays so; `displaced`: so it is, at an address of
   * this machine that this hub has now; `failed`: see `reason`.
   */
  readonly outcome: 'joined' | 'member' | 'moved' | 'forgotten' | 'elsewhere' | 'displaced' | 'failed'
  /** Null if it has failed. */
  readonly agentId: string | null
  /** The address that this machine has for its hub; null if it has failed. */
  readonly hub: string | null
  /** A sentence without a full stop; null unless it has failed. */
  readonly reason: string | null
}

/**
 * Has this machine join the hub that runs on it, as by an invite of its own. One that is logged in stays
 * where it is. That it can't is no error: the hub runs all the same.
 *
 * @param makeToken makes a join token of that hub
 */
export async function joinHere(
  hub: HubInstance,
  agent: AgentInstance,
  makeToken: () => Promise<string>,
): Promise<Joining> {
  return orFailed(async () => {
    const saved = readConfig(agent)
    const status = await answerOf(hub)
    return saved ? follow(hub, agent, saved, status) : told('joined', await join(agent, status, makeToken))
  })
}

/**
 * The same where it has joined a hub before, and nothing where it has not: for a hub that may speak https
 * now, or plain http, and did not before.
 *
 * @returns null if this machine is not logged in
 */
export async function followHere(hub: HubInstance, agent: AgentInstance): Promise<Joining | null> {
  return orFailed(async () => {
    const saved = readConfig(agent)
    return saved ? follow(hub, agent, saved, await answerOf(hub)) : null
  })
}

/** On its socket, which is this user’s alone: so that it is this very hub needs no other proof. */
async function answerOf(hub: HubInstance): Promise<HubStatus> {
  const status = await waitFor(() => hubStatus(hub), { timeoutMs: ANSWERS_WITHIN_MS, everyMs: 100 })
  if (status) return status
  throw new ConnectError('HUB_BUSY', 'the hub does not say yet where it listens')
}

async function orFailed<T>(work: () => Promise<T>): Promise<T | Joining> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { outcome: 'failed', agentId: null, hub: null, reason: messageOf(error) }
  }
}

/** Sees to it that a machine which has joined this hub before finds it, and nobody else in its place. */
async function follow(
  hub: HubInstance,
  agent: AgentInstance,
  saved: Config,
  status: HubStatus,
): Promise<Joining> {
  const way = wayTo(status, saved.proxy)
  const { hostname, port } = new URL(saved.hub)
  const isOnLoopback = isLoopback(hostname)
  if (saved.hubId !== status.hubId)
    return told(isOnLoopback && port === new URL(way.hub).port ? 'displaced' : 'elsewhere', saved)
  const known = await hubAgents(hub)
  if (known?.every(({ id, revoked }) => id !== saved.agentId || revoked)) return told('forgotten', saved)
  const authority = authorityOf(status)
  const isPinnedRight = saved.authority === undefined || saved.authority === authority
  if (!isOnLoopback || (saved.hub === way.hub && isPinnedRight)) return told('member', saved)
  return told('moved', updateConfig(agent, saved, { ...way, authority }))
}

async function join(
  agent: AgentInstance,
  status: HubStatus,
  makeToken: () => Promise<string>,
): Promise<Config> {
  const token = await makeToken()
  const { login } = await import('../../hub-client/login.ts')
  return login(agent, {
    ...wayTo(status),
    label: defaultLabel(),
    token,
    hubId: status.hubId,
    fingerprint: status.certificate ? fingerprintFrom(status.certificate.fingerprint) : undefined,
  })
}

/** How this machine gets to its hub. Who runs that without a certificate has accepted it for here, too. */
function wayTo(status: HubStatus, proxy?: string): Pick<Config, 'hub' | 'proxy' | 'insecure'> {
  const hub = addressHere(status)
  const insecure = hub.startsWith('http:') && !isLoopback(new URL(hub).hostname)
  return { hub, proxy: proxyToSave({ hub, proxy }, process.env), insecure }
}

/**
 * Where the hub is from here: where it listens, so that neither a changed address nor a router makes a
 * difference. A certificate that it was given is for the address that others are told.
 */
function addressHere({ listen, url, certificate }: HubStatus): string {
  if (certificate && !certificate.own) return parseHubUrl(url, { insecure: true })
  const { host, port } = parseListenAddress(listen)
  const own = formatTarget({ host: connectable(host), port })
  return parseHubUrl(`${certificate ? 'https' : 'http'}://${own}`, { insecure: true })
}

/** What to trust where the hub has a certificate of its own: the file lies on this machine. */
function authorityOf({ certificate }: HubStatus): string | undefined {
  const file = certificate?.authority ?? undefined
  return file === undefined ? undefined : readText(file)
}

function told(outcome: Joining['outcome'], { agentId, hub }: Config): Joining {
  return { outcome, agentId, hub, reason: null }
}
