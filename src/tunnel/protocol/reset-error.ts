import { ConnectError } from '../../errors.ts'
import { STREAM_CODES, streamCodeName } from './codes.ts'

/**
 * What the reset of a stream is to the program that opened it.
 *
 * @param message what the far end, or the hub, has said about it; may be empty
 */
export function resetError(service: string, code: number, message: string): ConnectError {
  const why = message || streamCodeName(code)
  const unmade = `Could not connect to "${service}": ${why}`
  switch (code) {
    case STREAM_CODES.SERVICE_UNKNOWN: {
      return new ConnectError('SERVICE_UNKNOWN', unmade)
    }
    case STREAM_CODES.AGENT_OFFLINE: {
      return new ConnectError('AGENT_OFFLINE', unmade)
    }
    case STREAM_CODES.TARGET_REFUSED:
    case STREAM_CODES.TARGET_UNREACHABLE: {
      return new ConnectError('TARGET_UNREACHABLE', unmade)
    }
    default: {
      return new ConnectError('CONNECTION_RESET', `The connection to "${service}" was reset: ${why}`)
    }
  }
}
