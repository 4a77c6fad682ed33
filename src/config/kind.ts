import path from 'node:path'
import type { ErrorCode } from '../error-codes.ts'

/** What is kept running: the agent of a config file, or the hub of a user. */
export type Kind = 'agent' | 'hub'

/** The hub's: no agent gets it any more, and one that has it keeps it until the hub is installed. */
export const HUB_NAME = 'hub'

/** What differs between an agent and the hub, as something that is kept running: names and words. */
export interface KindWords {
  /** The name of the instance whose unit and label need no suffix. */
  readonly mainInstance: string
  /** The unit of systemd, without `.service`. */
  readonly unit: string
  /** The label of launchd. */
  readonly label: string
  /** What service managers show. */
  readonly description: string
  /** The words before `start` and the like. */
  readonly command: string
  /** What one runs in a terminal instead. */
  readonly foreground: string
  /** What is kept: `the daemon`. */
  readonly kept: string
  /** The same at the beginning of a sentence. */
  readonly subject: string
  /** What its process is: `the agent`. */
  readonly process: string
  /** One of those, at the beginning of a sentence. */
  readonly anyone: string
  /** What its lock is for. */
  readonly scope: string
  /** That another one has what this one needs, a sentence; and that other one. By the main file. */
  readonly isTaken: (mainFile: string) => string
  readonly another: (mainFile: string) => string
  readonly errors: {
    /** One runs already. */
    readonly running: ErrorCode
    /** A command on it, or its process, is busy. */
    readonly busy: ErrorCode
    /** Its answer can't be read. */
    readonly otherVersion: ErrorCode
    /** Which process it is can't be told. */
    readonly elsewhere: ErrorCode
  }
}

const KINDS: Readonly<Record<Kind, KindWords>> = {
  agent: {
    mainInstance: 'default',
    unit: 'private-connect',
    label: 'co.privateconnect.agent',
    description: 'Private Connect Agent',
    command: 'connect daemon',
    foreground: 'connect up',
    kept: 'daemon',
    subject: 'Daemon',
    process: 'agent',
    anyone: 'An agent',
    scope: 'instance',
    isTaken: () => 'Another agent is running',
    another: () => 'another agent of this instance',
    errors: {
      running: 'AGENT_RUNNING',
      busy: 'AGENT_BUSY',
      otherVersion: 'AGENT_OTHER_VERSION',
      elsewhere: 'AGENT_ELSEWHERE',
    },
  },
  hub: {
    mainInstance: HUB_NAME,
    unit: 'private-connect-hub',
    label: 'co.privateconnect.hub',
    description: 'Private Connect Hub',
    command: 'connect hub',
    foreground: 'connect hub',
    kept: 'hub',
    subject: 'Hub',
    process: 'hub',
    anyone: 'A hub',
    scope: 'data folder',
    isTaken: (mainFile) => `A hub is already running on ${path.dirname(mainFile)}`,
    another: (mainFile) => `another hub on ${path.dirname(mainFile)}`,
    errors: {
      running: 'HUB_RUNNING',
      busy: 'HUB_BUSY',
      otherVersion: 'HUB_OTHER_VERSION',
      elsewhere: 'HUB_ELSEWHERE',
    },
  },
}

export function wordsOf({ kind }: { readonly kind: Kind }): KindWords {
  return KINDS[kind]
}
