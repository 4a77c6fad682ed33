import DaemonStatus from './status.ts'

/** `connect daemon` is `connect daemon status`. */
export default class Daemon extends DaemonStatus {
  static override summary = 'Keep the agent running in the background: install, start, stop, status, logs'
}
