import type { Instance } from '../../config/instance.ts'
import { ConnectError } from '../../errors.ts'
import type { Termination } from '../../process/terminate.ts'
import type {
  Action,
  Daemon,
  Platform,
  PlatformContext,
  PlatformStatus,
  Started,
  StartOptions,
  StatusOptions,
} from '../platform.ts'
import { startProcess } from './start.ts'
import { processStatus } from './status.ts'
import { stopProcess } from './stop.ts'

/** Keeps the agent as a detached process, found again by its record (see process-record.ts). */
export class BackgroundPlatform implements Platform {
  readonly #instance: Instance

  constructor({ instance }: PlatformContext) {
    this.#instance = instance
  }

  install(): never {
    throw new ConnectError('INSTALL_UNSUPPORTED', 'A background process can’t be installed')
  }

  uninstall(): Action<undefined> {
    return { steps: [], result: () => undefined }
  }

  start(daemon: Daemon, options: StartOptions): Action<Started> {
    return startProcess(this.#instance, daemon, options)
  }

  stop(found: PlatformStatus): Action<Termination | undefined> {
    return stopProcess(this.#instance, found)
  }

  status(options?: StatusOptions): Promise<PlatformStatus> {
    return processStatus(this.#instance, options)
  }
}
