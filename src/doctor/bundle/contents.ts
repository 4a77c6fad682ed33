import type { AgentStatus } from '../../control/schema.ts'
import { ConnectError, messageOf } from '../../errors.ts'
import type { HubStatus } from '../../hub/control/schema.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import type { DoctorContext } from '../context.ts'
import type { Checked } from '../run-checks.ts'
import { instanceFiles } from './instance-files.ts'
import { hostKind, loginOf } from './kinds.ts'
import { logLines } from './log-lines.ts'
import { programWords } from './program-words.ts'
import { Redactor } from './redactor.ts'
import { knownSecrets } from './secrets.ts'
import { serviceFiles } from './service-files.ts'
import { systemOf } from './system.ts'

/** What the checks have asked is known by now; what else hangs is not waited for. In ms. */
const PATIENCE_MS = 2000

/**
 * All that a bundle holds, field by field: nothing gets in by being there. Numbers, words of our own, and
 * texts that a Redactor has gone over; never config.json, hub.db, a key or a token.
 */
export async function bundleContents(context: DoctorContext, checked: readonly Checked<DoctorContext>[]) {
  const config = await known(() => context.config())
  const redactor = new Redactor({
    words: programWords(context.root),
    home: context.home,
    secrets: knownSecrets(config, context.env),
  })
  const [agent, info, hub, platform] = await Promise.all([
    known(() => context.agent()),
    known(async () => (await (await context.way()).answered()).info),
    known(() => context.hubReport()),
    known(() => platformOf(context, redactor)),
  ])
  const hubInstance = hub && hub.hub.state !== 'none' ? hub.instance : undefined
  return {
    bundle: 1,
    madeAt: new Date().toISOString(),
    versions: {
      program: context.version,
      agent: redacted(redactor, agent?.version),
      hub: redacted(redactor, info?.version),
      hubHere: redacted(redactor, hub?.said?.version),
      node: process.version,
      openssl: process.versions.openssl ?? null,
    },
    system: systemOf(context.env, redactor),
    login: config ? loginOf(config) : null,
    platform: platform ?? null,
    agent: agent?.status ? agentOf(agent.status, redactor) : null,
    hubHere: hub?.said?.status ? hubOf(hub.said.status, redactor) : null,
    checks: checked.map(({ check: { group, name, title }, state, seen, fix, mended, unmended }) => ({
      group,
      name,
      title,
      state,
      seen: redactor.text(seen),
      fix: redacted(redactor, fix),
      mended: redacted(redactor, mended),
      unmended: redacted(redactor, unmended),
    })),
    files: {
      agent: instanceFiles(context.instance),
      hub: hubInstance ? instanceFiles(hubInstance) : null,
    },
    logs: {
      agent: readable(() => logLines(context.instance.logFile, redactor), redactor),
      hub: hubInstance ? readable(() => logLines(hubInstance.logFile, redactor), redactor) : null,
    },
  }
}

function agentOf({ hub, streams, services, reaches }: AgentStatus, redactor: Redactor) {
  return {
    connection: hub.state,
    streams,
    services: services.map((service) => ('path' in service ? 'socket' : hostKind(service.host))),
    reaches:
      reaches?.map(({ addresses, code, failure }) => ({
        held: addresses.length > 0,
        code: redacted(redactor, code),
        failure: failure?.cause ?? null,
      })) ?? null,
  }
}

function hubOf(status: HubStatus, redactor: Redactor) {
  const { joined, online, links, streams, certificate, unsaved } = status
  return {
    joined,
    online,
    links,
    streams,
    certificate: certificate && { own: certificate.own, notAfter: redactor.text(certificate.notAfter) },
    unsaved: unsaved?.changes ?? 0,
  }
}

async function platformOf(context: DoctorContext, redactor: Redactor) {
  const { description } = await context.daemonContext()
  const status = await known(() => context.daemon())
  return {
    name: redactor.text(description.name),
    state: status?.state ?? null,
    installed: status?.installed ?? null,
    autostart: status?.autostart ?? null,
    restarts: status?.restarts ?? null,
    files: (await known(() => serviceFiles(context, redactor))) ?? null,
  }
}

function redacted(redactor: Redactor, text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : redactor.text(text)
}

/** @returns undefined if it can't be known, which a check has told */
async function known<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await withDeadline(look, PATIENCE_MS, () => new Error('not known in time'))
  } catch {
    return undefined
  }
}

/** A log that can't be read is told of in its place. */
function readable<T>(read: () => T, redactor: Redactor): T | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConnectError) return redactor.text(messageOf(error))
    throw error
  }
}
