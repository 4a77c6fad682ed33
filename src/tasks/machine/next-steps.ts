import { JOIN_OWN_HUB, letOthersIn } from '../../config/first-steps.ts'
import { isLoopback } from '../../config/hub-url.ts'
import { parseListenAddress } from '../../config/target.ts'
import { leadsTo } from '../../net/own-address.ts'
import type { HubHere } from './hub-here.ts'
import { joinNotes, type NextStep } from './next-step.ts'
import type { Standing } from './standing.ts'

/** What has the agent, or the hub, run here, see start-step.ts: found out only if it is to be said. */
export interface Starts {
  agent(): Promise<NextStep>
  hub(): Promise<NextStep>
  /** Of a hub that has never been. */
  ownHub(): Promise<NextStep>
}

/**
 * What most likely comes next: one step; both ways in for a machine that knows nothing; none if all is as it
 * should be, or a problem says itself what to do.
 */
export async function nextSteps(here: Standing, start: Starts): Promise<NextStep[]> {
  if (here.problems.length > 0) return []
  if (!here.login) return waysIn(here.hub, start)
  const next = await stepOf(here, here.login.hub, start)
  return next ? [next] : []
}

async function waysIn({ state, waitsFor }: HubHere, start: Starts): Promise<NextStep[]> {
  if (state === 'stopped') return [await start.hub()]
  if (waitsFor !== null) return [step('connect hub status', 'says more')]
  if (state === 'running') return [step(JOIN_OWN_HUB, 'joins the hub here')]
  if (state === 'unknown') return [step('connect hub status', 'says more')]
  return [step('connect login', 'with an invite to a hub'), await start.ownHub()]
}

async function stepOf(here: Standing, hub: string, start: Starts): Promise<NextStep | undefined> {
  const { agent } = here
  const isConnected = agent.connection?.state === 'connected'
  if (!isConnected && here.hub.state === 'stopped' && isOn(here.hub, hub)) return start.hub()
  if (agent.state === 'stopped') return start.agent()
  if (agent.state === 'unknown') return step('connect daemon status', 'says more')
  const isElsewhere = agent.drift.length > 0
  if (agent.connection && !isConnected && !isElsewhere)
    return step('connect doctor', 'says what is in the way')
  // A restart of the daemon does nothing about an agent in a terminal.
  if (agent.mode === 'foreground') {
    const { command, note } = await start.agent()
    return step(command, joinNotes('after Ctrl-C where the agent runs', note))
  }
  if (!agent.connection || isElsewhere) return step('connect daemon restart')
  return firstUse(here)
}

/** With an agent that is connected: what makes use of it. */
function firstUse({ exposed, reaches, offered, hub }: Standing): NextStep | undefined {
  if (reaches?.some(({ held, failure }) => !held || failure))
    return step('connect reach', 'says what is in the way')
  const [offer] = offered ?? []
  const [own] = exposed ?? []
  const isKept = (reaches ?? []).length > 0
  if (!own && !isKept && offer) return step(`connect reach ${offer.name}`)
  if (!own && !isKept) return step('connect expose PORT --name NAME')
  if (own && !offer && hub.state === 'running') return letOthersIn(hub.address)
  return own && !offer ? step(`connect reach ${own.name}`, 'on another machine') : undefined
}

/** Whether the hub that this machine is logged in to is the one here, as far as its address tells. */
function isOn({ address }: HubHere, hub: string): boolean {
  if (isLoopback(new URL(hub).hostname) || address === hub) return true
  // One that does not run tells no address, only where it is to listen.
  return address !== null && !/^https?:/.test(address) && listensFor(address, hub)
}

function listensFor(listen: string, hub: string): boolean {
  const { hostname, port, protocol } = new URL(hub)
  const listener = parseListenAddress(listen)
  const dialled = port || (protocol === 'https:' ? '443' : '80')
  return listener.port === Number(dialled) && leadsTo(hostname.replace(/^\[|\]$/g, ''), listener.host)
}

function step(command: string, note: string | null = null): NextStep {
  return { command, note }
}
