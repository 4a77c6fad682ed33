import { readConfig, type Config } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import { askAgent, type AgentAnswer } from '../control/ask-agent.ts'
import { findProcess } from '../control/find-process.ts'
import type { LogEntry } from '../log/view/entries.ts'
import type { PlatformStatus } from '../platforms/platform.ts'
import type { Chosen } from '../platforms/selection/chosen.ts'
import { daemonOf, type DaemonContext } from '../tasks/daemon-context.ts'
import { hubReport } from '../tasks/machine/hub-here.ts'
import { startStep, type AskPlugins } from '../tasks/machine/start-step.ts'
import { startDaemon } from '../tasks/start.ts'
import { lookIntoHub, type HubHereContext } from './hub-inspection.ts'
import { recentLog } from './recent-log.ts'
import { unseen } from './unseen.ts'
import { wayOf, type WayContext } from './way/way-of.ts'

/** How long a check that asks what keeps the daemon may take, in ms: a service manager may be slow. */
export const PLATFORM_MS = 9000

/** Whom a check is about, and where. */
export interface Patient {
  readonly instance: AgentInstance
  /** The user's home folder. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** The package's folder, where bin/ lies. */
  readonly root: string
  /** The version of this command. */
  readonly version: string
  /** What keeps the daemon alive. @throws ConnectError what kept it from being picked */
  readonly choosing: Promise<Chosen>
  /** What plugins bring to keep a daemon or hub with. */
  readonly plugins: AskPlugins
}

/**
 * What several checks look at: looked at once, when the first of them asks, and as it was then. What has a
 * check of its own throws the ConnectError that is told there; all else throws Unseen.
 */
export interface DoctorContext extends Patient, WayContext, HubHereContext {
  /** Undefined if this machine is not logged in. @throws ConnectError as readConfig */
  config(): Promise<Config | undefined>
  /** What the agent says of itself; undefined if none runs. @throws Unseen */
  agent(): Promise<AgentAnswer | undefined>
  /** What keeps the daemon. @throws Unseen; with what it can’t be picked by, `choosing` */
  chosen(): Promise<Chosen>
  /** What keeps the daemon says of it. @throws Unseen */
  daemon(): Promise<PlatformStatus>
  /** For what acts on the daemon. @throws Unseen */
  daemonContext(): Promise<DaemonContext>
  /** What the log says of the last hour, newest first. @throws Unseen */
  log(): Promise<readonly LogEntry[]>
  /** Mends what differs of the daemon. @returns what was done @throws ConnectError as startDaemon */
  restart(): Promise<string>
}

export function doctorContext(patient: Patient): DoctorContext {
  const { instance, root, version, choosing } = patient
  const chosen = () => unseen(choosing)
  const daemonContext = once(async () => {
    const { platform, description } = await chosen()
    return { instance, platform, description, root, version, interactive: false, hub: undefined }
  })
  const config = once(async () => readConfig(instance))
  const report = once(hubReport)
  return {
    ...patient,
    config,
    agent: once(() => unseen(agentOf(instance))),
    chosen,
    daemon: once(async () => unseen((await chosen()).platform.status({ lookOnly: true }))),
    daemonContext,
    log: once(() => unseen((async () => recentLog(instance.logFile))())),
    restart: once(async () => restartDaemon(await daemonContext())),
    hubReport: report,
    hubData: once(() => lookIntoHub(report())),
    startStep: (hub) => startStep(hub, patient.plugins),
    way: once(() => wayOf(config())),
  }
}

async function agentOf(instance: AgentInstance): Promise<AgentAnswer | undefined> {
  return (await findProcess(instance)).state === 'running' ? askAgent(instance) : undefined
}

async function restartDaemon(context: DaemonContext): Promise<string> {
  const { pid } = await startDaemon(context, daemonOf(context), { running: 'stop' })
  return `the daemon was started anew (PID: ${pid})`
}

function once<T>(look: () => Promise<T>): () => Promise<T> {
  let looking: Promise<T> | undefined
  return () => (looking ??= look())
}
